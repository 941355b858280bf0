"""Other terms for a hire under way: brought to its workflow, and answered as that decides."""

import asyncio

from services.common.database import notify
from services.common.errors import Conflict, HireflowError, Unavailable
from workflows.hire.contract import Actor, HireTotals, PaymentChoice, TermsOffer
from workflows.hiring.domain import Hire, HireState, HireTerms, ToldHire, Totals, Verdict
from workflows.hiring.store import hires, requests, terms
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.ports import NotRunning
from workflows.hiring.use_cases.unit import HIRES, Hiring

_TRIES = 20
_PAUSE_SECONDS = 0.15
_REFUSALS = {
    "HIRE_ENDING": "the hire is being undone: ask again when it ended",
    "PAYMENT_ALREADY_SUCCEEDED": "the hire is paid under its first terms and goes on with them",
    "CONFLICT": "newer terms came first: read the hire again",
}


async def bring(desk: Desk, told: ToldHire, offer: HireTerms) -> None:
    """Bring offered terms to the hire's workflow; a repeat brings them once.

    Raises:
        Conflict: the workflow refuses them by name, which is their verdict.
        Unavailable: no worker answers, or the workflow is only being started.

    """
    message = TermsOffer(
        revision=offer.revision,
        totals=totals_model(offer.terms.totals),
        payment=PaymentChoice(method_id=offer.payment_method_id),
        requested_at=offer.requested_at,
        confirm_declined=offer.confirm_declined,
        actor=Actor(kind=offer.requested_by.kind, id=offer.requested_by.id),
    )
    for _ in range(_TRIES):
        try:
            await desk.stories.offer_terms(told.hire.proposal_id, offer.hire_id, message)
        except NotRunning:
            if await _ended(desk.hiring, offer.hire_id):
                return  # which is the verdict, and read where the hire is waited for
            await asyncio.sleep(_PAUSE_SECONDS)
        except Conflict as refusal:
            await _refuse(desk.hiring, offer, refusal.reason)
            raise
        else:
            return
    told_why = "the hire is only being started: repeat the call a little later"
    raise Unavailable("DEPENDENCY_UNAVAILABLE", told_why, metadata={"dependency": "temporal"})


async def refusal_of(hiring: Hiring, hire: Hire, offer: HireTerms) -> HireflowError | None:
    """Tell why terms were refused, if they were; the end of a hire refuses what is undecided."""
    if offer.verdict is Verdict.OFFERED and hire.ended:
        hired = hire.state is HireState.HIRED
        reason = "PAYMENT_ALREADY_SUCCEEDED" if hired else "HIRE_ENDING"
        await _refuse(hiring, offer, reason)
    elif offer.verdict is Verdict.REFUSED:
        reason = offer.refused_reason or "CONFLICT"
    else:
        return None
    return Conflict(reason, f"hire {hire.hire_id}: {_REFUSALS.get(reason, 'terms refused')}")


def totals_model(totals: Totals) -> HireTotals:
    """Write totals as the workflow is given them."""
    return HireTotals(
        amount=totals.amount,
        marketplace_fee=totals.marketplace_fee,
        contract_fee=totals.contract_fee,
        currency=totals.currency,
    )


async def _refuse(hiring: Hiring, offer: HireTerms, reason: str) -> None:
    async with hiring.database.begin() as tx:
        if not await terms.refuse_terms(tx, offer.hire_id, offer.revision, reason):
            return
        if reason == "HIRE_ENDING":
            # They never reached the hire: the same request may begin the next one.
            await requests.forget_hire(tx, offer.hire_id, offer.revision)
        await notify(tx, HIRES, offer.hire_id)


async def _ended(hiring: Hiring, hire_id: str) -> bool:
    async with hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
    return told is not None and told.hire.ended
