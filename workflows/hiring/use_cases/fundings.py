"""Fundings and refunds: frozen before the provider hears of them, each once."""

from datetime import datetime

from services.common.errors import Conflict, NotFound, Refused
from workflows.hiring.domain import (
    Funding,
    FundingChange,
    FundingDraft,
    FundingState,
    HireState,
    RefundDraft,
    RefundRow,
    Stage,
)
from workflows.hiring.store import fundings, hires
from workflows.hiring.use_cases.unit import Hiring


async def freeze_funding(hiring: Hiring, draft: FundingDraft) -> Funding:
    """Freeze what is to be charged; a repeat answers with what was frozen first.

    A funding that is paid already is answered as it is, so that an activity whose answer was lost
    reads its intent again.

    Raises:
        Refused: PAYMENT_NOT_EXPECTED, the funding was closed or the hire is being undone: nothing
            may be charged under it.
        Conflict: CONFLICT, another funding of the milestone is live.

    """
    async with hiring.database.begin() as tx:
        # Held against whoever takes the hire over: it either sees this funding or forbids it.
        hire = await hires.lock_hire(tx, draft.hire_id)
        if hire is None or hire.state is HireState.UNDONE or hire.stage is Stage.UNDOING:
            raise _closed(draft.funding_id)
        await fundings.insert_funding(tx, draft, FundingState.OPEN, hiring.clock())
        funding = await fundings.lock_funding(tx, draft.funding_id)
    if funding is None:
        told = f"milestone {draft.milestone_id} has another live funding"
        raise Conflict("CONFLICT", f"{told}: repeat when that is final")
    if funding.closed:
        raise _closed(draft.funding_id)
    return funding


async def close_unsent_funding(hiring: Hiring, draft: FundingDraft) -> Funding:
    """Close a funding of which the provider never heard, known to us or not; answer how it stands.

    Closing may overtake freezing: an unknown funding is stored closed, and freezing it later is
    refused. One that was sent is left alone, for only the provider can close it.
    """
    now = hiring.clock()
    async with hiring.database.begin() as tx:
        await fundings.insert_funding(tx, draft, FundingState.CANCELED, now)
        funding = await fundings.lock_funding(tx, draft.funding_id)
        if funding is None:
            raise NotFound("funding", draft.funding_id)
        if funding.state is FundingState.OPEN and funding.create_sent_at is None:
            change = FundingChange(draft.funding_id, FundingState.CANCELED)
            await fundings.change_funding(tx, change, now)
            funding = await fundings.lock_funding(tx, draft.funding_id)
    if funding is None:
        raise NotFound("funding", draft.funding_id)
    return funding


async def note_create_sent(hiring: Hiring, funding_id: str, now: datetime) -> datetime:
    """Note, before the intent is asked for, that it is; answer when that was the first time.

    Raises:
        Refused: PAYMENT_NOT_EXPECTED, the funding is not open.

    """
    async with hiring.database.begin() as tx:
        first = await fundings.note_create_sent(tx, funding_id, now)
    if first is None:
        raise _closed(funding_id)
    return first


async def note_create_failed(hiring: Hiring, funding: Funding) -> None:
    """Count a create that failed at the provider, so that the next one goes under another key."""
    async with hiring.database.begin() as tx:
        await fundings.note_create_failed(tx, funding.funding_id, funding.creates_failed)


async def save_intent(hiring: Hiring, funding_id: str, intent_id: str) -> None:
    """Store the one intent of a funding; a repeat changes nothing.

    Raises:
        Refused: WRONG_STATE, the funding has another intent, or is unknown.

    """
    async with hiring.database.begin() as tx:
        if not await fundings.save_intent(tx, funding_id, intent_id):
            told = f"funding {funding_id} is unknown or has another intent than {intent_id}"
            raise Refused("WRONG_STATE", told)


async def plan_refund(hiring: Hiring, draft: RefundDraft) -> RefundRow:
    """Plan the one full refund of a funding; a repeat, under whatever id, answers the first."""
    async with hiring.database.begin() as tx:
        return await fundings.insert_refund(tx, draft, hiring.clock())


async def note_refund_sent(hiring: Hiring, refund_id: str, now: datetime) -> None:
    """Note, before a refund is asked for, that it is; the first time stays."""
    async with hiring.database.begin() as tx:
        await fundings.note_refund_sent(tx, refund_id, now)


async def save_refund(hiring: Hiring, refund_id: str, provider_id: str) -> None:
    """Store the provider's id of a refund; a repeat changes nothing.

    Raises:
        Refused: WRONG_STATE, the refund has another, or is unknown.

    """
    async with hiring.database.begin() as tx:
        if not await fundings.save_refund(tx, refund_id, provider_id):
            told = f"refund {refund_id} is unknown or made by another than {provider_id}"
            raise Refused("WRONG_STATE", told)


def _closed(funding_id: str) -> Refused:
    told = f"funding {funding_id} is not open: nothing may be charged under it"
    return Refused("PAYMENT_NOT_EXPECTED", told)
