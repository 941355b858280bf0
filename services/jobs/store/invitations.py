"""Who is invited to which job."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.jobs.store.tables import INVITATION


@dataclass(frozen=True, slots=True)
class Invitation:
    """A trainer's invitation to a job."""

    job_id: str
    trainer_id: str
    create_time: datetime


async def invite(
    tx: AsyncConnection, job_id: str, trainer_ids: Collection[str], now: datetime
) -> tuple[str, ...]:
    """Store invitations; answer whose are new, in their own order: the key decides."""
    rows = [
        {"job_id": job_id, "trainer_id": trainer_id, "create_time": now}
        for trainer_id in sorted(trainer_ids)
    ]
    stored = await tx.execute(
        insert(INVITATION).values(rows).on_conflict_do_nothing().returning(INVITATION.c.trainer_id)
    )
    return tuple(sorted(stored.scalars()))


async def revoke(tx: AsyncConnection, job_id: str, trainer_id: str) -> bool:
    """Delete an invitation; answer whether there was one."""
    gone = await tx.execute(
        sa.delete(INVITATION).where(
            INVITATION.c.job_id == job_id, INVITATION.c.trainer_id == trainer_id
        )
    )
    return gone.rowcount == 1


async def list_of_job(connection: AsyncConnection, job_id: str, cursor: Cursor) -> Page[Invitation]:
    """Read a page of a job's invitations, newest first."""
    columns = INVITATION.c.create_time, INVITATION.c.trainer_id
    query = (
        sa.select(INVITATION)
        .where(INVITATION.c.job_id == job_id, beyond(cursor, *columns, descending=True))
        .order_by(*(column.desc() for column in columns))
        .limit(cursor.limit)
    )
    found = [
        Invitation(row.job_id, row.trainer_id, row.create_time)
        for row in await connection.execute(query)
    ]
    return cursor.page(found, key=lambda each: (each.create_time, each.trainer_id))
