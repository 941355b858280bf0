"""What comes before a proposal: a trainer starts and answers, an interviewer records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.proposals import events
from services.proposals.domain import Given, Interview, OwnScreening, Screening
from services.proposals.store import jobs, profiles, screenings
from services.proposals.use_cases.access import Interviewer, Reader, Trainer, is_interviewer
from services.proposals.use_cases.known_jobs import visible_job

OUTBOX = Outbox("proposals")
REQUESTS = Requests("proposals")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Whether a screening is complete with its interview."""

    complete: bool


async def start_screening(
    database: Database,
    trainer: Trainer,
    request: Request,
    *,
    screening_id: str,
    job_id: str,
    now: datetime,
) -> OwnScreening:
    """Begin the calling trainer's screening on a job, or go on with the one that is there.

    One whose plan changed before its answers were final goes over to the present plan.

    Raises NotFound when the job is unknown, not yet told of, or not for the trainer; Refused
    JOB_NOT_OPEN, NO_SCREENING_PLAN, PROFILE_MISSING.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, trainer, request, OwnScreening)
        if repeat is not None:
            return repeat
        job = await visible_job(tx, trainer, job_id)
        before = await screenings.lock_screening_of(tx, trainer.id, job_id)
        if before is None:
            profile = await profiles.find_profile(tx, trainer.id)
            screening = Screening.start(screening_id, job, profile, now)
            if await screenings.insert_screening(tx, screening):
                await OUTBOX.record(tx, events.screening_started(screening, now))
            else:
                before = await screenings.lock_screening_of(tx, trainer.id, job_id)
        if before is not None:
            screening = before.start_again(job)
            if screening is not before:
                await screenings.save_screening(tx, screening)
                await OUTBOX.record(tx, events.screening_started(screening, now))
        own = OwnScreening(screening, screening.plan_changed(job))
        await REQUESTS.answer(tx, trainer, request, own)
        return own


async def answer_screening(
    database: Database,
    trainer: Trainer,
    request: Request,
    *,
    screening_id: str,
    given: Sequence[Given],
    final: bool,
    now: datetime,
) -> OwnScreening:
    """Save answers of the calling trainer's screening; with one that is wrong, none is saved.

    Raises NotFound, also when the job is not for the trainer any more; InvalidInput naming every
    wrong or missing answer; Refused ANSWERS_FINAL,
    SCREENING_PLAN_CHANGED.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, trainer, request, OwnScreening)
        if repeat is not None:
            return repeat
        before = await screenings.lock_screening(tx, screening_id)
        if before is None or before.candidate.trainer_id != trainer.id:
            raise NotFound("screening", screening_id)
        job = await visible_job(tx, trainer, before.job_id)
        screening = before.answer(given, job, final=final, now=now)
        await _save(tx, before, screening, now)
        own = OwnScreening(screening, screening.plan_changed(job))
        await REQUESTS.answer(tx, trainer, request, own)
        return own


async def get_own_screening(database: Database, trainer: Trainer, job_id: str) -> OwnScreening:
    """Read the calling trainer's screening on a job. Raises NotFound before it began."""
    async with database.read() as connection:
        screening = await screenings.find_screening_of(connection, trainer.id, job_id)
        job = await jobs.find_job(connection, job_id)
    if screening is None or job is None:
        raise NotFound("screening", job_id)
    return OwnScreening(screening, screening.plan_changed(job))


async def record_interview(
    database: Database,
    interviewer: Interviewer,
    request: Request,
    *,
    screening_id: str,
    interview: Interview,
    plan_version: int,
    now: datetime,
) -> Recorded:
    """Keep what an interview found; the same again, also under a new request, changes nothing.

    Raises NotFound; Conflict SCREENING_PLAN_CHANGED for an interview by another version of the plan
    than the screening's, unless it is 0; Refused INTERVIEW_RECORDED when another record is there.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, interviewer, request, Recorded)
        if repeat is not None:
            return repeat
        before = await screenings.lock_screening(tx, screening_id)
        if before is None:
            raise NotFound("screening", screening_id)
        screening = before.record(interview, plan_version, now)
        await _save(tx, before, screening, now)
        answer = Recorded(complete=screening.complete_time is not None)
        await REQUESTS.answer(tx, interviewer, request, answer)
        return answer


async def get_screening(database: Database, reader: Reader, screening_id: str) -> Screening:
    """Read a screening as its employer sees it.

    Raises NotFound, before it is complete also to all but the interviewer, who goes by it.
    """
    async with database.read() as connection:
        screening = await screenings.find_screening(connection, screening_id)
    if screening is None or (screening.complete_time is None and not is_interviewer(reader)):
        raise NotFound("screening", screening_id)
    require_reader(reader, screening.organisation_id, "screening", screening_id)
    return screening


async def _save(tx: AsyncConnection, before: Screening, after: Screening, now: datetime) -> None:
    if after is before:
        return
    await screenings.save_screening(tx, after)
    if after.complete_time is not None and before.complete_time is None:
        await OUTBOX.record(tx, events.screening_completed(after, now))
