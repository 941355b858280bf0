"""What a hire does with one position of a job.

Each function is idempotent twice over: a repeat of its request gets the first answer, and the same
hire under a new request finds its own effect done. The lock on the job's row puts everything that
hires do in one job in a line, so of two hires racing for the last position exactly one wins; the
unique key on the hire decides between a reservation and a release that overtook it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.jobs import events
from services.jobs.domain import Job, Reservation, ReservationState
from services.jobs.store import jobs, reservations
from services.jobs.use_cases.access import HireWorkflow

OUTBOX = Outbox("jobs")
REQUESTS = Requests("jobs")


@dataclass(frozen=True, slots=True)
class HireCall:
    """What a hire asks of one job."""

    caller: HireWorkflow
    request: Request
    job_id: str
    hire_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Released:
    """Whether a reservation was there to be given back."""

    released: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """The job after a position was filled, and whether that finished its hiring."""

    job: Job
    hiring_finished: bool


async def reserve_position(database: Database, call: HireCall) -> Job:
    """Hold a position for a hire; a hire that holds or filled one already changes nothing.

    Raises NotFound; Refused JOB_NOT_OPEN, NO_POSITION, or RESERVATION_RELEASED when the hire was
    undone before.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Job)
        if repeat is not None:
            return repeat
        job = await _lock(tx, call)
        wanted = Reservation(call.hire_id, call.job_id, ReservationState.RESERVED)
        earlier = await reservations.claim_reservation(tx, wanted)
        if earlier is None:
            job = job.reserve(call.now)
            await jobs.save_job(tx, job)
            await OUTBOX.record(tx, events.position_reserved(job, call.hire_id))
        else:
            _require_same_job(earlier, call)
            earlier.require_not_released()
        await REQUESTS.answer(tx, call.caller, call.request, job)
        return job


async def release_position(
    database: Database, call: HireCall, ended_contract_id: str = ""
) -> Released:
    """Give a hire's position back; of an unknown hire, remember that it never gets one.

    A filled position is given back only by the contract that fills it. Hiring that finished by
    itself is open again then; hiring that a member finished stays so, and so does an archived job.

    Raises NotFound; Refused WRONG_STATE when the position is filled by another contract, or by
    one that is not named.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Released)
        if repeat is not None:
            return repeat
        job = await _lock(tx, call)
        tombstone = Reservation(call.hire_id, call.job_id, ReservationState.RELEASED)
        earlier = await reservations.claim_reservation(tx, tombstone)
        answer = Released(released=False)
        if earlier is not None:
            _require_same_job(earlier, call)
            after = earlier.release(ended_contract_id)
            if after != earlier:
                answer = Released(released=True)
                await reservations.release_reservation(tx, after)
                await _give_back(tx, job, earlier, call.now)
        await REQUESTS.answer(tx, call.caller, call.request, answer)
        return answer


async def fill_position(database: Database, call: HireCall, contract_id: str) -> Filled:
    """Put a hire's contract on its position; finish hiring with the last one, if the job says so.

    The same contract again changes nothing. Raises NotFound, also when the hire reserved nothing;
    Refused RESERVATION_RELEASED, or WRONG_STATE when another contract fills the position or the
    contract fills another.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.caller, call.request, Filled)
        if repeat is not None:
            return repeat
        job = await _lock(tx, call)
        reservation = await reservations.find_reservation(tx, call.hire_id)
        if reservation is None:
            raise NotFound("reservation", call.hire_id)
        _require_same_job(reservation, call)
        if reservation.filled_by(contract_id):
            answer = Filled(job, hiring_finished=reservation.finished_hiring)
        else:
            answer = await _fill(tx, job, reservation, contract_id, call.now)
        await REQUESTS.answer(tx, call.caller, call.request, answer)
        return answer


async def _give_back(tx: AsyncConnection, before: Job, earlier: Reservation, now: datetime) -> None:
    filled = earlier.state is ReservationState.FILLED
    free = before.vacate(now) if filled else before.release(now)
    job = free.reopen_by_itself(now)
    await jobs.save_job(tx, job)
    await OUTBOX.record(tx, events.position_released(free, earlier.hire_id))
    if job is not free:
        await OUTBOX.record(tx, events.hiring_reopened(job))


async def _fill(
    tx: AsyncConnection, before: Job, reservation: Reservation, contract_id: str, now: datetime
) -> Filled:
    filled = reservation.fill(contract_id)
    staffed = before.fill(now)
    job = staffed.finish_by_itself(now)
    finished = job is not staffed
    filled = replace(filled, finished_hiring=finished)
    if not await reservations.fill_reservation(tx, filled):
        raise Refused("WRONG_STATE", "the contract fills another hire's position")
    await jobs.save_job(tx, job)
    await OUTBOX.record(tx, events.position_filled(staffed, filled))
    if finished:
        await OUTBOX.record(tx, events.hiring_finished(job))
    return Filled(job, hiring_finished=finished)


async def _lock(tx: AsyncConnection, call: HireCall) -> Job:
    job = await jobs.lock_job(tx, call.job_id)
    if job is None:
        raise NotFound("job", call.job_id)
    return job


def _require_same_job(reservation: Reservation, call: HireCall) -> None:
    if reservation.job_id != call.job_id:
        raise NotFound("reservation", call.hire_id)
