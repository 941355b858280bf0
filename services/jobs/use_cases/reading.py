"""What anybody may see of jobs."""

from collections.abc import Sequence
from dataclasses import replace

from services.common.auth import Kind, Principal, require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.jobs.domain import Job, State
from services.jobs.store import jobs
from services.jobs.store.jobs import Visible, Wanted
from services.jobs.use_cases.access import Reader

# What a list shows unless it is asked for certain states.
LISTED = frozenset(State) - {State.ARCHIVED}


async def get_job(database: Database, caller: Principal, job_id: str) -> Job:
    """Read one job. Raises NotFound when it is unknown or the caller may not know of it."""
    found = await batch_get_jobs(database, caller, [job_id])
    if not found:
        raise NotFound("job", job_id)
    return found[0]


async def batch_get_jobs(
    database: Database, caller: Principal, job_ids: Sequence[str]
) -> Sequence[Job]:
    """Read those of the jobs that the caller may know of, in the order in which they are named."""
    trainer_id = caller.id if caller.kind is Kind.TRAINER else ""
    async with database.read() as connection:
        found = await jobs.find_visible(connection, set(job_ids), trainer_id)
    named = (found[job_id] for job_id in job_ids if job_id in found)
    return [_as_shown(caller, each.job) for each in named if _may_read(caller, each)]


async def list_jobs(
    database: Database, caller: Reader, wanted: Wanted, cursor: Cursor
) -> Page[Job]:
    """List an organisation's jobs, newest first; no states means all but archived.

    A page may be short, even empty, and still not the last: its token tells.

    Raises NotFound for another organisation than the caller's own; operators and services have
    none and may name any.
    """
    organisation_id = wanted.organisation_id
    require_reader(caller, organisation_id, "organisation", organisation_id)
    async with database.read() as connection:
        listed = replace(wanted, states=wanted.states or LISTED)
        return await jobs.list_jobs(connection, listed, cursor)


def _may_read(caller: Principal, visible: Visible) -> bool:
    job = visible.job
    match caller.kind:
        case Kind.EMPLOYER | Kind.AGENT:
            return caller.organisation_id == job.organisation_id
        case Kind.TRAINER:
            return visible.working or job.open_to_trainer(invited=visible.invited)
        case Kind.OPERATOR | Kind.SERVICE:
            return True


def _as_shown(caller: Principal, job: Job) -> Job:
    """Leave out what trainers are not to see: the prompt, the folder, and who else there is."""
    if caller.kind is not Kind.TRAINER:
        return job
    posting = job.posting
    posting = replace(posting, screening_plan=posting.screening_plan.without_prompt())
    return replace(job, folder_id="", reserved=0, proposals=0, posting=posting)
