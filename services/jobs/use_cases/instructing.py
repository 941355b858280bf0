"""What hired trainers are to do: written by the organisation, every version kept."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Kind
from services.common.database import Database
from services.common.errors import Conflict, NotFound
from services.common.idempotency import Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.jobs import events
from services.jobs.store import instructions, jobs
from services.jobs.store.instructions import Instructions
from services.jobs.use_cases.access import InstructionsReader
from services.jobs.use_cases.lifecycle import Change, lock_members_job

OUTBOX = Outbox("jobs")
REQUESTS = Requests("jobs")


async def write_instructions(
    database: Database, change: Change, text: str, latest_version: int
) -> Instructions:
    """Write the next version; the versions before stay.

    Raises NotFound; Refused WRONG_STATE of an archived job; Conflict ETAG_MISMATCH when a version
    is named that is not the latest.
    """
    async with database.begin() as tx:
        member = change.member
        repeat = await REQUESTS.claim(tx, member.principal, change.request, Instructions)
        if repeat is not None:
            return repeat
        job = await lock_members_job(tx, change)
        job.require_writable()
        latest = await instructions.latest_version(tx, change.job_id)
        if latest_version and latest_version != latest:
            told = f"version {latest} was written meanwhile: read it first"
            raise Conflict("ETAG_MISMATCH", told)
        written = Instructions(change.job_id, latest + 1, text, member.principal.id, change.now)
        await instructions.insert_instructions(tx, written)
        await OUTBOX.record(tx, events.instructions_written(job, written.version, change.now))
        await REQUESTS.answer(tx, member.principal, change.request, written)
        return written


async def get_instructions(
    database: Database, caller: InstructionsReader, job_id: str, version: int
) -> Instructions:
    """Read one version; 0 means the latest.

    Raises NotFound: also of every trainer without an active contract on the job.
    """
    async with database.read() as connection:
        await _require_readable(connection, caller, job_id)
        found = await instructions.find_instructions(connection, job_id, version)
    if found is None:
        raise NotFound("instructions", f"{job_id}/{version or 'latest'}")
    return _as_shown(caller, found)


async def list_versions(
    database: Database, caller: InstructionsReader, job_id: str, cursor: Cursor
) -> Page[Instructions]:
    """List the versions without their texts, latest first. Raises NotFound as above."""
    async with database.read() as connection:
        await _require_readable(connection, caller, job_id)
        page = await instructions.list_versions(connection, job_id, cursor)
    return replace(page, items=tuple(_as_shown(caller, each) for each in page.items))


async def _require_readable(
    connection: AsyncConnection, caller: InstructionsReader, job_id: str
) -> None:
    visible = (await jobs.find_visible(connection, [job_id], caller.id)).get(job_id)
    match caller.kind:
        case Kind.EMPLOYER | Kind.AGENT:
            readable = visible and visible.job.organisation_id == caller.organisation_id
        case Kind.TRAINER:
            readable = visible and visible.working
        case Kind.OPERATOR:
            readable = visible is not None
        case _:
            readable = False
    if not readable:
        raise NotFound("job", job_id)


def _as_shown(caller: InstructionsReader, found: Instructions) -> Instructions:
    return replace(found, author_id="") if caller.kind is Kind.TRAINER else found
