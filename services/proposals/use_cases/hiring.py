"""What a hire does with a proposal: reserve it, let it go, mark it hired.

Each function is idempotent twice over: a repeat of its request gets the first answer, and the same
hire under a new request finds its own effect done. The lock on the proposal's row puts hires in a
line, so of two that race for it exactly one wins; the unique key on the hire decides between a
reservation and a release that overtook it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.proposals import events
from services.proposals.domain import Proposal, Reservation, ReservationState, ReviewState
from services.proposals.store import proposals, reservations
from services.proposals.use_cases.access import HireWorkflow

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


@dataclass(frozen=True, slots=True)
class HireCall:
    """What a hire asks of one proposal."""

    caller: HireWorkflow
    request: Request
    proposal_id: str
    hire_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Released:
    """Whether a reservation was there to be ended."""

    released: bool


async def reserve_proposal(
    database: Database, call: HireCall, *, organisation_id: str, confirm_declined: bool
) -> Proposal:
    """Hold a proposal for a hire; a hire that holds or hired it already changes nothing.

    Raises NotFound, also for another organisation's; Refused, the first that applies of
    PROPOSAL_WITHDRAWN, ALREADY_HIRED, HIRE_IN_PROGRESS, PROPOSAL_DECLINED, and
    RESERVATION_RELEASED when the hire was undone before.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Proposal)
        if repeat is not None:
            return repeat
        proposal = await _lock(tx, call)
        if proposal.organisation_id != organisation_id:
            raise NotFound("proposal", call.proposal_id)
        earlier = await reservations.find_reservation(tx, call.hire_id)
        if earlier is None or earlier.state is ReservationState.RELEASED:
            proposal = proposal.reserve(call.hire_id, call.now, confirm_declined=confirm_declined)
            wanted = Reservation(call.hire_id, call.proposal_id, ReservationState.RESERVED)
            earlier = await reservations.claim_reservation(tx, wanted)
            if earlier is None:
                await proposals.save_proposal(tx, proposal)
                await OUTBOX.record(tx, events.reserved(proposal, call.hire_id))
        if earlier is not None:
            _require_same_proposal(earlier, call)
            earlier.require_not_released()
        await REQUESTS.answer(tx, call.caller, call.request, proposal)
        return proposal


async def release_proposal(
    database: Database, call: HireCall, ended_contract_id: str = ""
) -> Released:
    """End a hire's reservation; of an unknown hire, remember that it never gets one.

    A hired proposal is let go only by the contract that it is hired under, and is then reviewed
    as it was before.

    Raises NotFound; Refused WRONG_STATE when it is hired under another contract, or under one
    that is not named.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Released)
        if repeat is not None:
            return repeat
        proposal = await _lock(tx, call)
        tombstone = Reservation(call.hire_id, call.proposal_id, ReservationState.RELEASED)
        earlier = await reservations.claim_reservation(tx, tombstone)
        answer = Released(released=False)
        if earlier is not None:
            _require_same_proposal(earlier, call)
            after = earlier.release(ended_contract_id)
            if after != earlier:
                answer = Released(released=True)
                proposal = _let_go(proposal, earlier, call)
                await reservations.save_reservation(tx, after)
                await proposals.save_proposal(tx, proposal)
                await OUTBOX.record(tx, events.released(proposal, call.hire_id))
        await REQUESTS.answer(tx, call.caller, call.request, answer)
        return answer


async def mark_hired(database: Database, call: HireCall, contract_id: str) -> Proposal:
    """Mark a reserved proposal as hired, whatever its job's state; again changes nothing.

    Raises NotFound, also when the hire reserved nothing; Refused RESERVATION_RELEASED, or
    WRONG_STATE for another contract than the one it was hired with.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Proposal)
        if repeat is not None:
            return repeat
        proposal = await _lock(tx, call)
        reservation = await reservations.find_reservation(tx, call.hire_id)
        if reservation is None:
            raise NotFound("reservation", call.hire_id)
        _require_same_proposal(reservation, call)
        after = reservation.hire(contract_id, proposal.review_state)
        if after != reservation:
            proposal = proposal.hire(call.hire_id, call.now)
            await reservations.save_reservation(tx, after)
            await proposals.save_proposal(tx, proposal)
            await OUTBOX.record(tx, events.hired(proposal, call.hire_id, contract_id))
        await REQUESTS.answer(tx, call.caller, call.request, proposal)
        return proposal


def _let_go(proposal: Proposal, earlier: Reservation, call: HireCall) -> Proposal:
    if earlier.state is not ReservationState.HIRED:
        return proposal.release(call.hire_id, call.now)
    return proposal.unhire(earlier.reviewed or ReviewState.UNREVIEWED, call.now)


async def _lock(tx: AsyncConnection, call: HireCall) -> Proposal:
    proposal = await proposals.lock_proposal(tx, call.proposal_id)
    if proposal is None:
        raise NotFound("proposal", call.proposal_id)
    return proposal


def _require_same_proposal(reservation: Reservation, call: HireCall) -> None:
    if reservation.proposal_id != call.proposal_id:
        raise NotFound("reservation", call.hire_id)
