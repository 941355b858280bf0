"""Stripe behind the payment ports, over the official SDK.

One attempt per call: retries belong to Temporal, which knows the stage's deadline. Every create
carries an idempotency key; what an answer means is decided here once, by HTTP status and code,
because the SDK raises one class for 409 and 5xx alike.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Never, TypeVar

import httpx
import stripe

from workflows.payments.gateway import (
    Dispute,
    DisputeStatus,
    Intent,
    IntentOrder,
    IntentStatus,
    Refund,
    Rejected,
    SavedMethod,
    ServerFailed,
    Setup,
    Unknown,
)
from workflows.payments.stripe_calls import measured
from workflows.settings import STRIPE_HOST

T = TypeVar("T")

TIMEOUT_SECONDS = 15.0

STATUSES = {
    "requires_payment_method": IntentStatus.NEEDS_METHOD,
    "requires_confirmation": IntentStatus.NEEDS_CONFIRMATION,
    "requires_action": IntentStatus.NEEDS_ACTION,
    "processing": IntentStatus.PROCESSING,
    "succeeded": IntentStatus.SUCCEEDED,
    "canceled": IntentStatus.CANCELED,
}

DISPUTES = {
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def check(api_base: str | None) -> Callable[[], Awaitable[None]]:
    """Build the readiness check: raise OSError while nobody listens where Stripe should.

    A connection and no call: a call a second would use up what Stripe allows us.
    """
    address = httpx.URL(api_base or f"https://{STRIPE_HOST}")
    port = address.port or {"http": 80, "https": 443}[address.scheme]

    async def connect() -> None:
        _, writer = await asyncio.open_connection(address.host, port)
        writer.close()

    return connect


class _MeasuredClient(stripe.HTTPXClient):
    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,  # noqa: ANN401 - the SDK's
    ) -> tuple[bytes, int, Mapping[str, str]]:
        with measured(method, url) as call:
            answer = await super().request_async(method, url, headers, post_data)
            call.status = answer[1]
            return answer


@asynccontextmanager
async def open_client(api_key: str, api_base: str | None) -> AsyncIterator[stripe.StripeClient]:
    """Open the SDK's client, one attempt, a bounded wait, no telemetry; close its connections.

    `api_base` points every one of the SDK's addresses elsewhere (the sandbox); None is Stripe.
    """
    stripe.enable_telemetry = False
    base = api_base.rstrip("/") if api_base else None
    http = _MeasuredClient(timeout=httpx.Timeout(TIMEOUT_SECONDS))
    client = stripe.StripeClient(
        api_key,
        base_addresses=(
            {"api": base, "files": base, "connect": base, "meter_events": base} if base else {}
        ),
        max_network_retries=0,
        http_client=http,
    )
    try:
        yield client
    finally:
        await http.close_async()  # type: ignore[no-untyped-call] # the SDK types all but this


def _code(error: stripe.StripeError) -> str:
    detail = error.error
    return (detail.code or detail.type if detail else None) or error.code or "unknown"


def _raise(error: stripe.StripeError) -> Never:
    status = error.http_status
    code = _code(error)
    if status is None or status in {409, 429}:
        raise Unknown(code) from error
    if status >= 500:
        raise ServerFailed(code) from error
    raise Rejected(code, error.user_message or code) from error


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except stripe.StripeError as error:
        _raise(error)


def _metadata(found: stripe.PaymentIntent | stripe.Refund) -> dict[str, Any]:
    # Stripe's objects look like dicts to the type checker and are none at run time.
    return {} if found.metadata is None else found.metadata.to_dict()


def _field(found: stripe.StripeObject, name: str) -> Any:  # noqa: ANN401 - any field
    # Stripe leaves out what does not apply (a bank's refusal has no decline code, a bank account
    # no card), and the SDK then has no such attribute, though its types say None.
    return getattr(found, name, None)


def _intent(found: stripe.PaymentIntent) -> Intent:
    failure = found.last_payment_error
    decline = (_field(failure, "decline_code") or _field(failure, "code")) if failure else None
    charge = found.latest_charge
    return Intent(
        intent_id=found.id,
        status=STATUSES[found.status],
        amount=found.amount,
        amount_received=found.amount_received or 0,
        currency=found.currency.upper(),
        funding_id=_metadata(found).get("funding_id"),
        charge_id=charge if isinstance(charge, str) or charge is None else charge.id,
        decline_code=decline,
    )


def _refund(found: stripe.Refund) -> Refund:
    return Refund(
        found.id,
        found.amount,
        failed=found.status in {"failed", "canceled"},
        refund_id=_metadata(found).get("refund_id"),
    )


class StripeIntents:
    """Payment intents: created unconfirmed, confirmed with a key per attempt."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._intents = client.v1.payment_intents

    async def create(self, order: IntentOrder, key: str) -> Intent:
        """Create the intent of a frozen order, unconfirmed."""
        return _intent(
            await _answer(
                self._intents.create_async(
                    {
                        "amount": order.amount,
                        "currency": order.currency.lower(),
                        "customer": order.customer_id,
                        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                        "transfer_group": order.transfer_group,
                        "metadata": {
                            "env": order.env,
                            "funding_id": order.funding_id,
                            "workflow_id": order.workflow_id,
                        },
                    },
                    {"idempotency_key": key},
                )
            )
        )

    async def find(self, order: IntentOrder, since: datetime) -> Intent | None:
        """List the customer's intents since then; never search, which lags behind writes."""
        page = await _answer(
            self._intents.list_async(
                {
                    "customer": order.customer_id,
                    "created": {"gte": int(since.timestamp()) - 60},
                    "limit": 100,
                }
            )
        )
        async for found in page.auto_paging_iter():
            if _metadata(found).get("funding_id") == order.funding_id:
                return _intent(found)
        return None

    async def confirm(self, intent_id: str, method_id: str, key: str) -> Intent:
        """Confirm; a decline (402) or an intent that is past confirming answers as it is."""
        try:
            return _intent(
                await self._intents.confirm_async(
                    intent_id, {"payment_method": method_id}, {"idempotency_key": key}
                )
            )
        except stripe.StripeError as error:
            if error.http_status == 402 or _code(error) == "payment_intent_unexpected_state":
                return await self.read(intent_id)
            _raise(error)

    async def read(self, intent_id: str) -> Intent:
        """Read the intent."""
        return _intent(await _answer(self._intents.retrieve_async(intent_id)))

    async def cancel(self, intent_id: str) -> Intent:
        """Cancel; where Stripe refuses because it is final or processing, read what it is."""
        try:
            # No key: a refusal while processing would be replayed under it for a day, and
            # cancelling twice is cancelling once.
            return _intent(await self._intents.cancel_async(intent_id))
        except stripe.StripeError as error:
            if _code(error) == "payment_intent_unexpected_state":
                return await self.read(intent_id)
            _raise(error)

    async def client_secret(self, intent_id: str) -> str:
        """Fetch the intent's client secret."""
        found = await _answer(self._intents.retrieve_async(intent_id))
        return found.client_secret or ""


class StripeRefunds:
    """Refunds of charges."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._refunds = client.v1.refunds

    async def create(self, charge_id: str, refund_id: str, amount: int, key: str) -> Refund:
        """Refund; our refund id stands in the metadata."""
        return _refund(
            await _answer(
                self._refunds.create_async(
                    {"charge": charge_id, "amount": amount, "metadata": {"refund_id": refund_id}},
                    {"idempotency_key": key},
                )
            )
        )

    async def find(self, charge_id: str, refund_id: str) -> Refund | None:
        """List the charge's refunds and look for ours."""
        page = await _answer(self._refunds.list_async({"charge": charge_id, "limit": 100}))
        async for found in page.auto_paging_iter():
            if _metadata(found).get("refund_id") == refund_id:
                return _refund(found)
        return None

    async def read(self, provider_id: str) -> Refund:
        """Read the refund."""
        return _refund(await _answer(self._refunds.retrieve_async(provider_id)))


class StripeDisputes:
    """Disputes of charges."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._disputes = client.v1.disputes

    async def read(self, dispute_id: str) -> Dispute:
        """Read the dispute; what is neither open nor decided has taken no money."""
        found = await _answer(self._disputes.retrieve_async(dispute_id))
        charge, intent = found.charge, found.payment_intent
        return Dispute(
            dispute_id=found.id,
            charge_id=charge if isinstance(charge, str) else charge.id,
            intent_id=intent if isinstance(intent, str) or intent is None else intent.id,
            amount=found.amount,
            currency=found.currency.upper(),
            status=DISPUTES.get(found.status, DisputeStatus.INQUIRY),
        )


class StripeCustomers:
    """Customers and their saved payment methods."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._v1 = client.v1

    async def create(self, organisation_id: str, key: str) -> str:
        """Create the customer; it carries the organisation's id and nothing of people."""
        found = await _answer(
            self._v1.customers.create_async(
                {"metadata": {"organisation_id": organisation_id}}, {"idempotency_key": key}
            )
        )
        return found.id

    async def setup(self, customer_id: str, key: str) -> Setup:
        """Create a setup intent for charges while the employer is away."""
        found = await _answer(
            self._v1.setup_intents.create_async(
                {
                    "customer": customer_id,
                    "usage": "off_session",
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                },
                {"idempotency_key": key},
            )
        )
        return Setup(found.id, found.client_secret or "")

    async def methods(self, customer_id: str) -> list[SavedMethod]:
        """List all saved methods of the customer."""
        page = await _answer(
            self._v1.customers.payment_methods.list_async(customer_id, {"limit": 100})
        )
        return [_method(found) async for found in page.auto_paging_iter()]

    async def detach(self, customer_id: str, method_id: str) -> bool:
        """Detach a method of this customer; another's or an unknown one answers false."""
        if all(method.method_id != method_id for method in await self.methods(customer_id)):
            return False
        await _answer(self._v1.payment_methods.detach_async(method_id))
        return True


def _method(found: stripe.PaymentMethod) -> SavedMethod:
    card = _field(found, "card")
    customer: Any = found.customer
    return SavedMethod(
        method_id=found.id,
        customer_id=customer if isinstance(customer, str) or customer is None else customer.id,
        type=found.type,
        brand=card.brand if card else "",
        last4=(card.last4 or "") if card else "",
        expiry_month=card.exp_month if card else 0,
        expiry_year=card.exp_year if card else 0,
        created=datetime.fromtimestamp(found.created, UTC),
    )
