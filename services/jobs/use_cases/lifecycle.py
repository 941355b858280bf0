"""What members of an organisation do with their jobs.

Every function answers a repeat of its request with the first answer, and tells NotFound of
another organisation's job.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Event, Outbox
from services.jobs import events
from services.jobs.domain import Job, Posting
from services.jobs.store import jobs, work
from services.jobs.use_cases.access import Member

OUTBOX = Outbox("jobs")
REQUESTS = Requests("jobs")


@dataclass(frozen=True, slots=True)
class Change:
    """A member's wish to change a job; an etag, if there is one, must be the job's present one."""

    member: Member
    request: Request
    job_id: str
    etag: str
    now: datetime


async def create_job(
    database: Database,
    member: Member,
    request: Request,
    *,
    job_id: str,
    posting: Posting,
    now: datetime,
) -> Job:
    """Create a draft. Raises InvalidInput when the posting is outside its limits."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member.principal, request, Job)
        if repeat is not None:
            return repeat
        job = Job.draft(job_id, member.organisation_id, posting, now)
        await jobs.insert_job(tx, job)
        await OUTBOX.record(tx, events.created(job))
        await REQUESTS.answer(tx, member.principal, request, job)
        return job


async def update_job(
    database: Database, change: Change, rewrite: Callable[[Posting], Posting]
) -> Job:
    """Rewrite what is written; a rewriting that changes nothing leaves no trace.

    Raises Conflict ETAG_MISMATCH; InvalidInput; Refused as Job.update.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, change.member.principal, change.request, Job)
        if repeat is not None:
            return repeat
        before = await lock_members_job(tx, change)
        job = before.update(rewrite(before.posting), change.now)
        changed = before.posting.changes(job.posting)
        if changed:
            await jobs.save_job(tx, job)
            await OUTBOX.record(tx, events.updated(job, changed))
        else:
            job = before
        await REQUESTS.answer(tx, change.member.principal, change.request, job)
        return job


async def publish_job(database: Database, change: Change) -> Job:
    """Open a draft for proposals. Raises Conflict ETAG_MISMATCH; Refused as Job.publish."""
    return await _apply(database, change, lambda job: job.publish(change.now), events.published)


async def finish_hiring(database: Database, change: Change) -> Job:
    """Take no new proposals. Raises Conflict ETAG_MISMATCH; Refused as Job.finish_hiring."""
    return await _apply(
        database, change, lambda job: job.finish_hiring(change.now), events.hiring_finished
    )


async def reopen_hiring(database: Database, change: Change) -> Job:
    """Take proposals again. Raises Conflict ETAG_MISMATCH; Refused as Job.reopen_hiring."""
    return await _apply(
        database, change, lambda job: job.reopen_hiring(change.now), events.hiring_reopened
    )


async def archive_job(database: Database, change: Change) -> Job:
    """Put the job away for ever. Raises Conflict ETAG_MISMATCH; Refused as Job.archive."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, change.member.principal, change.request, Job)
        if repeat is not None:
            return repeat
        before = await lock_members_job(tx, change)
        job = before.archive(await work.ties_of(tx, change.job_id), change.now)
        await jobs.save_job(tx, job)
        await OUTBOX.record(tx, events.archived(job))
        await REQUESTS.answer(tx, change.member.principal, change.request, job)
        return job


async def _apply(
    database: Database,
    change: Change,
    transition: Callable[[Job], Job],
    event: Callable[[Job], Event],
) -> Job:
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, change.member.principal, change.request, Job)
        if repeat is not None:
            return repeat
        job = transition(await lock_members_job(tx, change))
        await jobs.save_job(tx, job)
        await OUTBOX.record(tx, event(job))
        await REQUESTS.answer(tx, change.member.principal, change.request, job)
        return job


async def lock_members_job(tx: AsyncConnection, change: Change) -> Job:
    """Load the job that a member wants to change, and hold it.

    Raises NotFound; Conflict ETAG_MISMATCH.
    """
    organisation_id = change.member.organisation_id
    job = await jobs.lock_job(tx, change.job_id, organisation_id=organisation_id)
    if job is None:
        raise NotFound("job", change.job_id)
    job.require_etag(change.etag)
    return job
