"""What members of an organisation do with their folders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import require_reader
from services.common.database import Database
from services.common.errors import NotFound, Refused
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.jobs import events
from services.jobs.domain import Folder, Job, Label
from services.jobs.store import folders, jobs
from services.jobs.use_cases.access import Member, Reader

OUTBOX = Outbox("jobs")
REQUESTS = Requests("jobs")


@dataclass(frozen=True, slots=True)
class FolderCall:
    """What a member asks of a folder."""

    member: Member
    request: Request
    folder_id: str
    etag: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many jobs a deleted folder left in none."""

    jobs: int


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one job: `reason` is empty where it is in its place."""

    job_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moves:
    """What became of each job, in the order in which they were named."""

    moves: tuple[Move, ...]


async def create_folder(database: Database, call: FolderCall, label: Label) -> Folder:
    """Create a folder under the id in the call. Raises Refused FOLDER_EXISTS."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.member.principal, call.request, Folder)
        if repeat is not None:
            return repeat
        organisation_id = call.member.organisation_id
        folder = Folder(call.folder_id, organisation_id, label, 1, call.now, call.now)
        if not await folders.insert_folder(tx, folder):
            raise _name_taken(label)
        await OUTBOX.record(tx, events.folder_changed(folder))
        await REQUESTS.answer(tx, call.member.principal, call.request, folder)
        return folder


async def update_folder(
    database: Database, call: FolderCall, rewrite: Callable[[Label], Label]
) -> Folder:
    """Rewrite a folder's fields; a rewriting that changes nothing leaves no trace.

    Raises NotFound; Conflict ETAG_MISMATCH; Refused FOLDER_EXISTS.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.member.principal, call.request, Folder)
        if repeat is not None:
            return repeat
        folder = await _lock_and_count(tx, call)
        label = rewrite(folder.label)
        if label != folder.label:
            folder = folder.relabel(label, call.now)
            if not await folders.save_folder(tx, folder):
                raise _name_taken(label)
            await OUTBOX.record(tx, events.folder_changed(folder))
        await REQUESTS.answer(tx, call.member.principal, call.request, folder)
        return folder


async def delete_folder(database: Database, call: FolderCall) -> Deleted:
    """Delete a folder; its jobs are in none then, and each tells so.

    Raises NotFound; Conflict ETAG_MISMATCH.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.member.principal, call.request, Deleted)
        if repeat is not None:
            return repeat
        folder = await _lock(tx, call)
        inside = await jobs.lock_folders_jobs(tx, folder.folder_id)
        await _move(tx, inside, "", call.now)
        await folders.delete_folder(tx, folder.folder_id)
        await OUTBOX.record(tx, events.folder_changed(folder.delete(call.now), deleted=True))
        answer = Deleted(len(inside))
        await REQUESTS.answer(tx, call.member.principal, call.request, answer)
        return answer


async def move_jobs(database: Database, call: FolderCall, job_ids: Sequence[str]) -> Moves:
    """Put jobs into the folder of the call, or with an empty id into none; a result each.

    Who is there already stays, and tells nothing. A folder that is full takes none of the rest.
    Raises NotFound of the folder.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, call.member.principal, call.request, Moves)
        if repeat is not None:
            return repeat
        places = (await _lock_and_count(tx, call)).places if call.folder_id else len(job_ids)
        found = await jobs.lock_jobs(tx, call.member.organisation_id, set(job_ids))
        named = [found[job_id] for job_id in job_ids if job_id in found]
        coming = [job for job in named if job.folder_id != call.folder_id]
        await _move(tx, coming[:places], call.folder_id, call.now)
        refused = {job_id: "NOT_FOUND" for job_id in job_ids if job_id not in found}
        refused |= {job.job_id: "FOLDER_TOO_FULL" for job in coming[places:]}
        answer = Moves(tuple(Move(job_id, refused.get(job_id, "")) for job_id in job_ids))
        await REQUESTS.answer(tx, call.member.principal, call.request, answer)
        return answer


async def get_folder(database: Database, reader: Reader, folder_id: str) -> Folder:
    """Read one folder. Raises NotFound."""
    async with database.read() as connection:
        folder = await folders.find_folder(connection, folder_id)
    if folder is None:
        raise NotFound("folder", folder_id)
    require_reader(reader, folder.organisation_id, "folder", folder_id)
    return folder


async def list_folders(
    database: Database, reader: Reader, organisation_id: str, cursor: Cursor
) -> Page[Folder]:
    """List an organisation's folders by name. Raises NotFound for another organisation's."""
    require_reader(reader, organisation_id, "organisation", organisation_id)
    async with database.read() as connection:
        return await folders.list_folders(connection, organisation_id, cursor)


async def _move(tx: AsyncConnection, leaving: Sequence[Job], to: str, now: datetime) -> None:
    moved = [job.move(to, now) for job in leaving]
    await jobs.move_jobs(tx, [job.job_id for job in moved], to, now)
    await OUTBOX.record(tx, *(events.updated(job, ["folder_id"]) for job in moved))


async def _lock(tx: AsyncConnection, call: FolderCall) -> Folder:
    folder = await folders.lock_folder(tx, call.member.organisation_id, call.folder_id)
    if folder is None:
        raise NotFound("folder", call.folder_id)
    folder.require_etag(call.etag)
    return folder


async def _lock_and_count(tx: AsyncConnection, call: FolderCall) -> Folder:
    folder = await _lock(tx, call)
    return replace(folder, jobs=await folders.count_jobs(tx, call.folder_id))


def _name_taken(label: Label) -> Refused:
    return Refused("FOLDER_EXISTS", f"another folder of yours is named {label.name!r}")
