"""Folders, and how many jobs are in each."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.jobs.domain import Folder, Label
from services.jobs.store.tables import FOLDER, FOLDER_NAME, JOB

# Counted in the index, of at most so many as a folder holds.
_JOBS = sa.select(sa.func.count()).where(JOB.c.folder_id == FOLDER.c.folder_id).scalar_subquery()
_COUNTED = sa.select(FOLDER, FOLDER_NAME.label("lower_name"), _JOBS.label("jobs"))


async def insert_folder(tx: AsyncConnection, folder: Folder) -> bool:
    """Store a new folder; False if its organisation has one of that name: the key decides."""
    stored = await tx.execute(
        insert(FOLDER)
        .values(_values(folder))
        .on_conflict_do_nothing()
        .returning(FOLDER.c.folder_id)
    )
    return stored.one_or_none() is not None


async def save_folder(tx: AsyncConnection, folder: Folder) -> bool:
    """Store a folder that this transaction locked; False if another has the name already."""
    other = FOLDER.alias("other")
    taken = sa.exists().where(
        other.c.organisation_id == folder.organisation_id,
        sa.func.lower(other.c.name) == sa.func.lower(folder.label.name),
        other.c.folder_id != folder.folder_id,
    )
    stored = await tx.execute(
        sa.update(FOLDER)
        .where(FOLDER.c.folder_id == folder.folder_id, ~taken)
        .values(_values(folder))
    )
    return stored.rowcount == 1


async def delete_folder(tx: AsyncConnection, folder_id: str) -> None:
    """Delete a folder that no job is in any more."""
    await tx.execute(sa.delete(FOLDER).where(FOLDER.c.folder_id == folder_id))


async def lock_folder(tx: AsyncConnection, organisation_id: str, folder_id: str) -> Folder | None:
    """Load an organisation's folder, its jobs not counted, and hold its row to the end.

    While it is held no job comes into it; those that are in it may leave.
    """
    query = sa.select(FOLDER, sa.literal(0).label("jobs")).where(
        FOLDER.c.folder_id == folder_id, FOLDER.c.organisation_id == organisation_id
    )
    row = (await tx.execute(query.with_for_update())).one_or_none()
    return None if row is None else _folder(row)


async def count_jobs(tx: AsyncConnection, folder_id: str) -> int:
    """Count the jobs in a folder."""
    counted = sa.select(sa.func.count()).where(JOB.c.folder_id == folder_id)
    return (await tx.execute(counted)).scalar_one()


async def find_folder(connection: AsyncConnection, folder_id: str) -> Folder | None:
    """Read one folder."""
    query = _COUNTED.where(FOLDER.c.folder_id == folder_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _folder(row)


async def list_folders(
    connection: AsyncConnection, organisation_id: str, cursor: Cursor
) -> Page[Folder]:
    """Read a page of an organisation's folders by name, whatever the case."""
    query = (
        _COUNTED.where(FOLDER.c.organisation_id == organisation_id, beyond(cursor, FOLDER_NAME))
        .order_by(FOLDER_NAME)
        .limit(cursor.limit)
    )
    rows = (await connection.execute(query)).all()
    page = cursor.page(rows, key=lambda row: (row.lower_name,))
    return Page(tuple(_folder(row) for row in page.items), page.next_token)


def _values(folder: Folder) -> dict[str, object]:
    return {
        "folder_id": folder.folder_id,
        "organisation_id": folder.organisation_id,
        "name": folder.label.name,
        "description": folder.label.description,
        "colour": folder.label.colour,
        "version": folder.version,
        "create_time": folder.create_time,
        "update_time": folder.update_time,
    }


def _folder(row: sa.Row[tuple[object, ...]]) -> Folder:
    return Folder(
        folder_id=row.folder_id,
        organisation_id=row.organisation_id,
        label=Label(row.name, row.description, row.colour),
        version=row.version,
        create_time=row.create_time,
        update_time=row.update_time,
        jobs=row.jobs,
    )
