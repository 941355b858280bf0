"""The versions of jobs' instructions."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.jobs.store.tables import INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class Instructions:
    """One version of a job's instructions; in lists without its text."""

    job_id: str
    version: int
    text: str
    author_id: str
    create_time: datetime


async def latest_version(tx: AsyncConnection, job_id: str) -> int:
    """Tell the latest version, 0 if there is none; the lock on the job keeps it so."""
    latest = sa.select(sa.func.max(INSTRUCTIONS.c.version)).where(INSTRUCTIONS.c.job_id == job_id)
    return (await tx.execute(latest)).scalar_one() or 0


async def insert_instructions(tx: AsyncConnection, written: Instructions) -> None:
    """Store a version."""
    values = {
        "job_id": written.job_id,
        "version": written.version,
        "text": written.text,
        "author_id": written.author_id,
        "create_time": written.create_time,
    }
    await tx.execute(sa.insert(INSTRUCTIONS).values(values))


async def find_instructions(
    connection: AsyncConnection, job_id: str, version: int
) -> Instructions | None:
    """Read one version; 0 means the latest."""
    query = (
        sa.select(INSTRUCTIONS)
        .where(INSTRUCTIONS.c.job_id == job_id)
        .order_by(INSTRUCTIONS.c.version.desc())
        .limit(1)
    )
    if version:
        query = query.where(INSTRUCTIONS.c.version == version)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Instructions(row.job_id, row.version, row.text, row.author_id, row.create_time)


async def list_versions(
    connection: AsyncConnection, job_id: str, cursor: Cursor
) -> Page[Instructions]:
    """Read a page of a job's versions without their texts, latest first."""
    columns = [column for column in INSTRUCTIONS.c if column.name != "text"]
    query = (
        sa.select(*columns)
        .where(
            INSTRUCTIONS.c.job_id == job_id,
            beyond(cursor, INSTRUCTIONS.c.version, descending=True),
        )
        .order_by(INSTRUCTIONS.c.version.desc())
        .limit(cursor.limit)
    )
    found = [
        Instructions(row.job_id, row.version, "", row.author_id, row.create_time)
        for row in await connection.execute(query)
    ]
    return cursor.page(found, key=lambda each: (each.version,))
