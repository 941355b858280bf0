"""What anybody may see of jobs."""

from collections.abc import Collection

from services.common.auth import Kind, Principal, require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.jobs import store
from services.jobs.domain import Job, State
from services.jobs.use_cases.access import Reader

# What a list shows unless it is asked for certain states.
LISTED = frozenset(State) - {State.ARCHIVED}


async def get_job(database: Database, caller: Principal, job_id: str) -> Job:
    """Read one job. Raises NotFound when it is unknown or the caller may not know of it."""
    async with database.read() as connection:
        job = await store.find_job(connection, job_id)
    if job is None or not _may_read(caller, job):
        raise NotFound("job", job_id)
    return job


async def list_jobs(
    database: Database,
    caller: Reader,
    organisation_id: str,
    states: Collection[State],
    cursor: Cursor,
) -> Page[Job]:
    """List an organisation's jobs, newest first; no states means all but archived.

    Raises NotFound for another organisation than the caller's own; operators and services have
    none and may name any.
    """
    require_reader(caller, organisation_id, "organisation", organisation_id)
    async with database.read() as connection:
        return await store.list_jobs(connection, organisation_id, states or LISTED, cursor)


def _may_read(caller: Principal, job: Job) -> bool:
    match caller.kind:
        case Kind.EMPLOYER | Kind.AGENT:
            return caller.organisation_id == job.organisation_id
        case Kind.TRAINER:
            # An invited trainer is told nothing either until there are invitations.
            return job.open_to_trainers
        case Kind.OPERATOR | Kind.SERVICE:
            return True
