"""Who is in which channel, and what is known of the jobs that have them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.messaging.domain import ChannelMember, Job, Thread, ThreadKind, Work
from services.messaging.store.tables import CONTRACT, JOB, PARTICIPANT, THREAD

# Put together once, as whatever the events of jobs and contracts ask.
_JOB_LEARNED, _WORK_LEARNED = insert(JOB), insert(CONTRACT)
_JOB_LEARNED = _JOB_LEARNED.on_conflict_do_update(
    index_elements=["job_id"], set_={each.name: each for each in _JOB_LEARNED.excluded}
)
_WORK_LEARNED = _WORK_LEARNED.on_conflict_do_update(
    index_elements=["contract_id"], set_={each.name: each for each in _WORK_LEARNED.excluded}
)
_KEY = sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)
_LOCKED = sa.select(sa.func.pg_advisory_xact_lock(_KEY))
_JOB = sa.select(JOB).where(JOB.c.job_id == sa.bindparam("of_job"))
_ACTIVE = sa.select(CONTRACT.c.active).where(CONTRACT.c.contract_id == sa.bindparam("of_contract"))


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Store a job as its last event told it."""
    values = {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "adds_hires": job.adds_hires,
    }
    await tx.execute(_JOB_LEARNED, values)


async def lock_job(tx: AsyncConnection, job_id: str) -> Job | None:
    """Let nobody else change who is in a job's channels until the transaction ends; load the job.

    None while its own events have yet to come. The lock is on no row: jobs are kept by the events
    of jobs alone, and can be emptied to be heard of anew.
    """
    await tx.execute(_LOCKED, {"name": f"channels of {job_id}"})
    row = (await tx.execute(_JOB, {"of_job": job_id})).one_or_none()
    return None if row is None else Job(row.job_id, row.organisation_id, row.adds_hires)


async def learn_work(tx: AsyncConnection, work: Work) -> bool:
    """Store a contract as its last event told it; answers whether it was active before."""
    before = bool(await tx.scalar(_ACTIVE, {"of_contract": work.contract_id}))
    values = {
        "contract_id": work.contract_id,
        "job_id": work.job_id,
        "trainer_id": work.trainer_id,
        "active": work.active,
    }
    await tx.execute(_WORK_LEARNED, values)
    return before


async def hired(
    tx: AsyncConnection, job_id: str, among: Collection[str] | None = None
) -> list[str]:
    """Read which trainers have an active contract on a job, of some or of all."""
    query = (
        sa.select(CONTRACT.c.trainer_id)
        .where(CONTRACT.c.job_id == job_id, CONTRACT.c.active)
        .distinct()
        .order_by(CONTRACT.c.trainer_id)
    )
    if among is not None:
        query = query.where(CONTRACT.c.trainer_id.in_(among))
    return list(await tx.scalars(query))


async def channels_of_job(tx: AsyncConnection, organisation_id: str, job_id: str) -> list[str]:
    """Read a job's channels, in the one order in which all lock them."""
    query = sa.select(THREAD.c.thread_id).where(
        THREAD.c.organisation_id == organisation_id,
        THREAD.c.job_id == job_id,
        THREAD.c.kind == ThreadKind.CHANNEL,
    )
    return sorted(await tx.scalars(query))


async def add_members(
    tx: AsyncConnection, thread: Thread, trainer_ids: Sequence[str], now: datetime
) -> list[str]:
    """Store that trainers are in a channel; answers with those who were not: the key decides."""
    ids: sa.ColumnElement[Any] = sa.cast(list(trainer_ids), sa.ARRAY(sa.Text))
    values = {
        "thread_id": sa.literal(thread.thread_id),
        "trainer_id": sa.func.unnest(ids),
        "kind": sa.literal(thread.kind),
        "job_id": sa.literal(thread.job_id),
        "last_message_time": sa.literal(thread.last_message_time, sa.TIMESTAMP(timezone=True)),
        "join_time": sa.literal(now, sa.TIMESTAMP(timezone=True)),
    }
    rows = insert(PARTICIPANT).from_select([*values], sa.select(*values.values()))
    added = rows.on_conflict_do_nothing().returning(PARTICIPANT.c.trainer_id)
    return sorted(await tx.scalars(added))


async def remove_members(
    tx: AsyncConnection, thread_id: str, trainer_ids: Sequence[str]
) -> list[str]:
    """Store that trainers are not in a channel; answers with those who were."""
    ids: sa.ColumnElement[Any] = sa.cast(list(trainer_ids), sa.ARRAY(sa.Text))
    gone = sa.delete(PARTICIPANT).where(
        PARTICIPANT.c.thread_id == thread_id, PARTICIPANT.c.trainer_id == sa.func.any(ids)
    )
    return sorted(await tx.scalars(gone.returning(PARTICIPANT.c.trainer_id)))


async def rename(tx: AsyncConnection, thread_id: str, name: str) -> None:
    """Store a channel's name."""
    await tx.execute(sa.update(THREAD).where(THREAD.c.thread_id == thread_id).values(name=name))


async def list_members(
    connection: AsyncConnection, thread_id: str, cursor: Cursor
) -> Page[ChannelMember]:
    """Read a page of a channel's trainers: one index range."""
    key = PARTICIPANT.c.trainer_id
    query = (
        sa.select(key, PARTICIPANT.c.join_time)
        .where(PARTICIPANT.c.thread_id == thread_id, beyond(cursor, key))
        .order_by(key)
        .limit(cursor.limit)
    )
    members = [ChannelMember(*row) for row in await connection.execute(query)]
    return cursor.page(members, key=lambda member: (member.trainer_id,))
