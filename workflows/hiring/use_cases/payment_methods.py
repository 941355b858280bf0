"""An organisation's customer at the payment provider, and its saved methods."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.common.errors import Refused, Unavailable
from services.common.idempotency import Request
from services.common.telemetry import get_logger
from workflows.hiring.domain import Hire, preconditions
from workflows.hiring.store import customers, terms
from workflows.hiring.use_cases.access import Member, Payer
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.requests import claim_in, claim_request
from workflows.payments.gateway import Rejected, SavedMethod, Setup, Unknown

_TRIES = 10
_PAUSE_SECONDS = 0.2
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PaymentWish:
    """How a caller wants to pay: by a saved method, by confirming itself, or by the default."""

    method_id: str | None = None
    client_confirms: bool = False


@dataclass(frozen=True, slots=True)
class ListedMethod:
    """A saved method, and whether it is charged when none is named."""

    method: SavedMethod
    is_default: bool


async def choose_method(desk: Desk, organisation_id: str, wish: PaymentWish) -> str | None:
    """Find the method that a wish means; None when the client confirms by itself.

    Raises:
        Refused: PAYMENT_METHOD_MISSING, the organisation has no such method, or no default.
        Unavailable: the provider does not answer.

    """
    if wish.client_confirms:
        return None
    async with desk.hiring.database.read() as connection:
        customer = await customers.find_customer(connection, organisation_id)
    method_id = wish.method_id or (customer.default_method_id if customer else None)
    if customer is None or customer.customer_id is None or method_id is None:
        raise _missing()
    await _find_method(desk, customer.customer_id, method_id)
    return method_id


async def ensure_customer(desk: Desk, organisation_id: str) -> str:
    """Find the organisation's customer at the provider, or make it; there is only ever one.

    Raises:
        Unavailable: the provider does not answer.

    """
    database = desk.hiring.database
    key = f"customer:{organisation_id}"
    async with database.begin() as tx:
        await customers.insert_customer(tx, organisation_id, desk.hiring.clock())
    for _ in range(_TRIES):
        async with database.read() as connection:
            known = await customers.find_customer(connection, organisation_id)
        if known is not None and known.customer_id is not None:
            return known.customer_id
        try:
            made = await desk.customers.create(organisation_id, key)
        except Unknown:
            # Another call may be making it under the same key: look again.
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        async with database.begin() as tx:
            return await customers.save_customer_id(tx, organisation_id, made)
    raise _provider_silent()


async def create_setup(desk: Desk, payer: Payer, request: Request) -> Setup:
    """Begin saving a method; a repeat within a day answers with the same setup."""
    claimed = await claim_request(desk.hiring, payer.principal, request)
    customer_id = await ensure_customer(desk, payer.organisation_id)
    with provider_words():
        return await desk.customers.setup(customer_id, f"setup:{claimed.key}")


async def list_methods(desk: Desk, member: Member) -> list[ListedMethod]:
    """List the organisation's saved methods, newest first. Raises Unavailable."""
    async with desk.hiring.database.read() as connection:
        customer = await customers.find_customer(connection, member.organisation_id)
    if customer is None or customer.customer_id is None:
        return []
    with provider_words():
        methods = await desk.customers.methods(customer.customer_id)
    return [
        ListedMethod(method, method.method_id == customer.default_method_id) for method in methods
    ]


async def set_default(desk: Desk, payer: Payer, request: Request, method_id: str) -> ListedMethod:
    """Choose the method that is charged when none is named; a repeat changes nothing.

    Raises:
        Refused: PAYMENT_METHOD_MISSING.

    """
    async with desk.hiring.database.read() as connection:
        customer = await customers.find_customer(connection, payer.organisation_id)
    if customer is None or customer.customer_id is None:
        raise _missing()
    method = await _find_method(desk, customer.customer_id, method_id)
    async with desk.hiring.database.begin() as tx:
        claimed = await claim_in(tx, desk.hiring, payer.principal, request)
        if claimed.fresh:
            await customers.save_default(tx, payer.organisation_id, method_id)
    return ListedMethod(method, is_default=True)


async def remove_method(desk: Desk, payer: Payer, request: Request, method_id: str) -> None:
    """Forget a method, and have no default if it was that; a repeat changes nothing.

    What is refused is not claimed, so that its repeat is not taken for one of a removal.

    Raises:
        Refused: PAYMENT_METHOD_MISSING; PAYMENT_METHOD_IN_USE while a running unpaid hire names it.

    """
    async with desk.hiring.database.read() as connection:
        customer = await customers.find_customer(connection, payer.organisation_id)
    if customer is None or customer.customer_id is None:
        raise _missing()
    saved = await _saved_method(desk, customer.customer_id, method_id)
    async with desk.hiring.database.begin() as tx:
        claimed = await claim_in(tx, desk.hiring, payer.principal, request)
        if claimed.fresh and saved is None:
            raise _missing()
        if await terms.method_in_use(tx, payer.organisation_id, method_id):
            told = "a running hire that is not yet paid would charge it: cancel that or pay it"
            raise Refused("PAYMENT_METHOD_IN_USE", told)
        await customers.clear_default(tx, payer.organisation_id, method_id)
    with provider_words():
        await desk.customers.detach(customer.customer_id, method_id)


async def client_secret(desk: Desk, hire: Hire) -> str:
    """Fetch the secret with which a payer confirms; empty unless the client must act now.

    Reading a hire does not fail with the provider: the secret is then missing, and asked for again.
    """
    if not hire.client_must_act or hire.payment_intent_id is None:
        return ""
    try:
        return await desk.intents.client_secret(hire.payment_intent_id)
    except (Unknown, Rejected) as error:
        _log.warning("no client secret", hire_id=hire.hire_id, error=repr(error))
        return ""


@contextmanager
def provider_words() -> Iterator[None]:
    """Tell the provider's failures in ours."""
    try:
        yield
    except Unknown as error:
        raise _provider_silent() from error
    except Rejected as error:
        raise Refused("PAYMENT_REJECTED", f"the payment provider refuses: {error.code}") from error


async def _find_method(desk: Desk, customer_id: str, method_id: str) -> SavedMethod:
    method = await _saved_method(desk, customer_id, method_id)
    if method is None:
        raise _missing()
    return method


async def _saved_method(desk: Desk, customer_id: str, method_id: str) -> SavedMethod | None:
    with provider_words():
        methods = await desk.customers.methods(customer_id)
    return next((method for method in methods if method.method_id == method_id), None)


def _missing() -> Refused:
    missing = preconditions.of_payment_method(present=False)
    return Refused(missing.reason, missing.description)


def _provider_silent() -> Unavailable:
    told = "the payment provider does not answer now: repeat the call a little later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", told, metadata={"dependency": "stripe"})
