"""Whom an organisation invites to a job."""

from collections.abc import Collection
from dataclasses import dataclass

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.jobs import events
from services.jobs.domain import Job
from services.jobs.store import invitations, jobs
from services.jobs.store.invitations import Invitation
from services.jobs.use_cases.access import Reader, require_own_job
from services.jobs.use_cases.lifecycle import Change, lock_members_job

OUTBOX = Outbox("jobs")
REQUESTS = Requests("jobs")


@dataclass(frozen=True, slots=True)
class Invited:
    """The job after trainers were invited, and who of them was not invited before."""

    job: Job
    trainer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """Whether there was an invitation to take back."""

    revoked: bool


async def invite_trainers(
    database: Database, change: Change, trainer_ids: Collection[str]
) -> Invited:
    """Invite trainers; whoever is invited already stays so, and no event tells it again.

    Raises NotFound; Refused WRONG_STATE of an archived job.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, change.member.principal, change.request, Invited)
        if repeat is not None:
            return repeat
        before = await lock_members_job(tx, change)
        after = before.invite(change.now)
        invited = await invitations.invite(tx, change.job_id, set(trainer_ids), change.now)
        answer = Invited(after if invited else before, invited)
        if invited:
            await jobs.save_job(tx, after)
            await OUTBOX.record(tx, events.trainers_invited(after, invited))
        await REQUESTS.answer(tx, change.member.principal, change.request, answer)
        return answer


async def revoke_invitation(database: Database, change: Change, trainer_id: str) -> Revoked:
    """Take an invitation back; without one nothing changes.

    Raises NotFound; Refused WRONG_STATE of an archived job.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, change.member.principal, change.request, Revoked)
        if repeat is not None:
            return repeat
        job = (await lock_members_job(tx, change)).invite(change.now)
        answer = Revoked(await invitations.revoke(tx, change.job_id, trainer_id))
        if answer.revoked:
            await jobs.save_job(tx, job)
            await OUTBOX.record(tx, events.invitation_revoked(job, trainer_id))
        await REQUESTS.answer(tx, change.member.principal, change.request, answer)
        return answer


async def list_invitations(
    database: Database, reader: Reader, job_id: str, cursor: Cursor
) -> Page[Invitation]:
    """List who is invited to a job, newest first. Raises NotFound."""
    async with database.read() as connection:
        found = await jobs.find_visible(connection, [job_id])
        if job_id not in found:
            raise NotFound("job", job_id)
        require_own_job(reader, found[job_id].job)
        return await invitations.list_of_job(connection, job_id, cursor)
