"""What people do to a hire under way: pay again, cancel; approvals are not offered yet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.common.errors import Conflict, NotFound, Refused, Unavailable
from services.common.idempotency import Request
from workflows.hire.contract import Actor, CancelOrder, PaymentChoice, PaymentRetry
from workflows.hiring.domain import Hire, HireState, Stage, ToldHire
from workflows.hiring.store import hires
from workflows.hiring.use_cases.access import Member, Payer
from workflows.hiring.use_cases.desk import Desk, watch
from workflows.hiring.use_cases.payment_methods import PaymentWish, choose_method
from workflows.hiring.use_cases.ports import NotRunning
from workflows.hiring.use_cases.requests import claim_request

CANCELLED = "HIRE_CANCELLED"
_CATCH_UP_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Attempt:
    told: ToldHire
    done: bool


async def retry_payment(
    desk: Desk,
    payer: Payer,
    request: Request,
    hire_id: str,
    *,
    payment: PaymentWish,
    patience: Callable[[], float],
) -> ToldHire:
    """Try the payment again; answers with the outcome of this attempt, or when patience is over.

    A hire that is paid meanwhile, by whatever attempt, answers as it stands. A repeat of the
    request is the same attempt.

    Raises:
        NotFound: the hire is unknown or another organisation's.
        Refused: PAYMENT_METHOD_MISSING; PAYMENT_NOT_EXPECTED where no payment is waited for.
        Conflict: PAYMENT_IN_PROGRESS, HIRE_ENDING.
        Unavailable: no worker, or not the provider, answers.

    """
    told = await own_hire(desk, payer, hire_id)
    claimed = await claim_request(
        desk.hiring, payer.principal, request, hire_id=hire_id, after_step=told.hire.step
    )
    if _paid(told.hire):
        return told
    _require_payable(told.hire)
    method_id = await choose_method(desk, payer.organisation_id, payment)
    retry = PaymentRetry(payment=PaymentChoice(method_id=method_id), actor=_actor(payer))
    try:
        await _bring(desk, told.hire, claimed.key, retry)
    except (NotRunning, Refused) as refusal:
        told = await own_hire(desk, payer, hire_id)
        if _paid(told.hire):
            return told
        _require_payable(told.hire)
        raise still_starting() if isinstance(refusal, NotRunning) else refusal from refusal
    after = claimed.claim.after_step or 0

    async def look() -> _Attempt:
        now = await own_hire(desk, payer, hire_id)
        async with desk.hiring.database.read() as connection:
            mine = await hires.stepped_since(connection, hire_id, after, payer.actor)
        return _Attempt(now, mine or _paid(now.hire) or now.hire.ended)

    return (await watch(desk.hiring, hire_id, look, lambda seen: seen.done, patience())).told


async def _bring(desk: Desk, hire: Hire, key: str, retry: PaymentRetry) -> None:
    """Bring a retry to the story, which may be a moment behind the row that its step wrote.

    Who reads "declined" and pays again at once is not told that an attempt is in flight.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _CATCH_UP_SECONDS
    while True:
        try:
            return await desk.stories.retry_payment(hire.proposal_id, hire.hire_id, key, retry)
        except Conflict as refusal:
            behind = refusal.reason == "PAYMENT_IN_PROGRESS" and hire.client_must_act
            if not behind or loop.time() > end:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


async def cancel_hire(
    desk: Desk, member: Member, request: Request, hire_id: str, reason: str
) -> ToldHire:
    """Cancel a hire before its payment succeeded; answers once that is accepted.

    Cancelling what was cancelled answers with it; a repeat is the same cancel.

    Raises:
        NotFound: the hire is unknown or another organisation's.
        Refused: PAST_PIVOT once it is paid; WRONG_STATE when it ended undone for another reason.
        Conflict: HIRE_ENDING while it is being undone for another reason.
        Unavailable: no worker answers.

    """
    told = await own_hire(desk, member, hire_id)
    claimed = await claim_request(desk.hiring, member.principal, request, hire_id=hire_id)
    if not told.hire.ended:
        order = CancelOrder(reason=reason, actor=_actor(member))
        try:
            await desk.stories.cancel_hire(told.hire.proposal_id, hire_id, claimed.key, order)
        except NotRunning as error:
            told = await own_hire(desk, member, hire_id)
            if not told.hire.ended:
                raise still_starting() from error
        else:
            return await own_hire(desk, member, hire_id)
    return _cancelled(told)


async def refuse_approval(desk: Desk, member: Member, hire_id: str) -> None:
    """Refuse to approve or decline. Raises NotFound, or Refused APPROVAL_UNAVAILABLE."""
    await own_hire(desk, member, hire_id)
    raise Refused("APPROVAL_UNAVAILABLE", "approvals are not offered yet: no hire waits for one")


async def own_hire(desk: Desk, member: Member, hire_id: str) -> ToldHire:
    """Read a hire of the member's organisation. Raises NotFound."""
    async with desk.hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
    if told is None:
        raise NotFound("hire", hire_id)
    member.require_own(told.hire.organisation_id, "hire", hire_id)
    return told


def _paid(hire: Hire) -> bool:
    return hire.state is not HireState.UNDONE and hire.charge_id is not None


def _require_payable(hire: Hire) -> None:
    if hire.ended:
        told = f"hire {hire.hire_id} ended undone: {hire.end_reason}"
        raise Refused("PAYMENT_NOT_EXPECTED", told)
    if hire.stage is Stage.UNDOING:
        raise Conflict("HIRE_ENDING", f"hire {hire.hire_id} is being undone")


def _cancelled(told: ToldHire) -> ToldHire:
    hire = told.hire
    if hire.state is HireState.HIRED:
        raise Refused("PAST_PIVOT", f"hire {hire.hire_id} is paid and ended hired")
    if hire.end_reason != CANCELLED:
        message = f"hire {hire.hire_id} cannot be cancelled: it ended undone, {hire.end_reason}"
        raise Refused("WRONG_STATE", message, metadata={"end_reason": hire.end_reason or ""})
    return told


def _actor(member: Member) -> Actor:
    return Actor(kind=member.actor.kind, id=member.actor.id)


def still_starting() -> Unavailable:
    """Tell that a hire's workflow does not run yet."""
    told = "the hire is only being started: repeat the call a little later"
    return Unavailable("DEPENDENCY_UNAVAILABLE", told, metadata={"dependency": "temporal"})
