"""What a hire does with a proposal: reserve it, let it go, mark it hired.

Each is idempotent twice over: a repeat of its request gets the first answer, and the same hire
under a new request finds its own effect done. The lock on the proposal puts hires in a line; the
unique key on the hire decides between a reservation and a release that overtook it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from services.common.auth import Principal, require_service
from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.proposals import events, store
from services.proposals.domain import Proposal, Reservation, ReservationState

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


@dataclass(frozen=True, slots=True)
class HireCall:
    """What a hire asks of one proposal."""

    caller: Principal
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
    """Hold a proposal for a hire; a hire that holds it already changes nothing.

    Raises NotFound, also for another organisation's; Refused PROPOSAL_WITHDRAWN, ALREADY_HIRED,
    HIRE_IN_PROGRESS, PROPOSAL_DECLINED, or RESERVATION_RELEASED when the hire was undone before.
    """
    require_service(call.caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Proposal)
        if repeat is not None:
            return repeat
        proposal = await store.lock_proposal(tx, call.proposal_id)
        if proposal is None or proposal.organisation_id != organisation_id:
            raise NotFound("proposal", call.proposal_id)
        earlier = await store.find_reservation(tx, call.hire_id)
        if earlier is None:
            proposal = proposal.reserve(call.hire_id, call.now, confirm_declined=confirm_declined)
            wanted = Reservation(call.hire_id, call.proposal_id, ReservationState.RESERVED)
            earlier = await store.claim_reservation(tx, wanted)
            if earlier is None:
                await store.save_proposal(tx, proposal)
                await OUTBOX.record(tx, events.reserved(proposal, call.hire_id))
        if earlier is not None:
            _require_same_proposal(earlier, call)
            earlier.require_not_released()
        await REQUESTS.answer(tx, call.caller, call.request, proposal)
        return proposal


async def release_proposal(database: Database, call: HireCall) -> Released:
    """End a hire's reservation; of an unknown hire, remember that it never gets one.

    Raises NotFound; Refused WRONG_STATE when the hire ended HIRED.
    """
    require_service(call.caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Released)
        if repeat is not None:
            return repeat
        before = await store.lock_proposal(tx, call.proposal_id)
        if before is None:
            raise NotFound("proposal", call.proposal_id)
        tombstone = Reservation(call.hire_id, call.proposal_id, ReservationState.RELEASED)
        earlier = await store.claim_reservation(tx, tombstone)
        if earlier is not None:
            _require_same_proposal(earlier, call)
            if earlier.state is ReservationState.HIRED:
                raise Refused("WRONG_STATE", "the hire ended HIRED; end its contract instead")
        held = earlier is not None and earlier.state is ReservationState.RESERVED
        if held:
            proposal = before.release(call.hire_id, call.now)
            await store.save_reservation(tx, tombstone)
            await store.save_proposal(tx, proposal)
            await OUTBOX.record(tx, events.released(proposal, call.hire_id))
        answer = Released(released=held)
        await REQUESTS.answer(tx, call.caller, call.request, answer)
        return answer


async def mark_hired(database: Database, call: HireCall, contract_id: str) -> Proposal:
    """Mark a reserved proposal as hired, whatever its job's state; again changes nothing.

    Raises NotFound, also when the hire reserved nothing; Refused RESERVATION_RELEASED, or
    WRONG_STATE for another contract than the one it was hired with.
    """
    require_service(call.caller)
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Proposal)
        if repeat is not None:
            return repeat
        proposal = await store.lock_proposal(tx, call.proposal_id)
        if proposal is None:
            raise NotFound("proposal", call.proposal_id)
        reservation = await store.find_reservation(tx, call.hire_id)
        if reservation is None:
            raise NotFound("reservation", call.hire_id)
        _require_same_proposal(reservation, call)
        reservation.require_not_released()
        if reservation.state is ReservationState.RESERVED:
            proposal = proposal.hire(call.hire_id, call.now)
            ended = replace(reservation, state=ReservationState.HIRED, contract_id=contract_id)
            await store.save_reservation(tx, ended)
            await store.save_proposal(tx, proposal)
            await OUTBOX.record(tx, events.hired(proposal, call.hire_id, contract_id))
        elif reservation.contract_id != contract_id:
            raise Refused("WRONG_STATE", "the hire ended HIRED with another contract")
        await REQUESTS.answer(tx, call.caller, call.request, proposal)
        return proposal


def _require_same_proposal(reservation: Reservation, call: HireCall) -> None:
    if reservation.proposal_id != call.proposal_id:
        raise NotFound("reservation", call.hire_id)
