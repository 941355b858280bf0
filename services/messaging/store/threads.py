"""Threads, their participants, and what is known of proposals."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.messaging.domain import Proposal, Thread, ThreadKind
from services.messaging.store.tables import PARTICIPANT, PROPOSAL, THREAD

_TRAINERS = (
    sa.func.array(
        sa.select(PARTICIPANT.c.trainer_id)
        .where(PARTICIPANT.c.thread_id == THREAD.c.thread_id)
        .order_by(PARTICIPANT.c.trainer_id)
        .correlate(THREAD)
        .scalar_subquery()
    )
).label("trainer_ids")
_THREAD_WITH_TRAINERS = sa.select(THREAD, _TRAINERS)


async def learn_proposal(tx: AsyncConnection, proposal: Proposal) -> None:
    """Store who takes part in a proposal; a repeat changes nothing."""
    row = insert(PROPOSAL).values(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        trainer_id=proposal.trainer_id,
    )
    await tx.execute(row.on_conflict_do_nothing())


async def find_proposal(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Read who takes part in a proposal."""
    query = sa.select(PROPOSAL).where(PROPOSAL.c.proposal_id == proposal_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Proposal(row.proposal_id, row.job_id, row.organisation_id, row.trainer_id)


async def claim_thread(tx: AsyncConnection, wanted: Thread) -> Thread:
    """Store a new thread, or answer with the one that has its place.

    The unique keys on proposal, contract and id decide. `wanted` itself is answered if, and only
    if, it was stored.
    """
    stored = await tx.execute(
        insert(THREAD)
        .values(_thread_values(wanted))
        .on_conflict_do_nothing()
        .returning(THREAD.c.thread_id)
    )
    if stored.one_or_none() is not None:
        await tx.execute(sa.insert(PARTICIPANT), _participants(wanted))
        return wanted
    same_place = (
        THREAD.c.contract_id == wanted.contract_id
        if wanted.contract_id
        else sa.and_(
            THREAD.c.kind == ThreadKind.PROPOSAL, THREAD.c.proposal_id == wanted.proposal_id
        )
    )
    query = (
        _THREAD_WITH_TRAINERS.where(same_place | (THREAD.c.thread_id == wanted.thread_id))
        # Its contract's thread says more than a stranger that has the id.
        .order_by(same_place.desc().nulls_last())
        .limit(1)
    )
    return _thread((await tx.execute(query)).one())


async def lock_thread(tx: AsyncConnection, thread_id: str) -> Thread | None:
    """Load a thread and hold its row until the transaction ends."""
    query = _THREAD_WITH_TRAINERS.where(THREAD.c.thread_id == thread_id)
    row = (await tx.execute(query.with_for_update(of=THREAD))).one_or_none()
    return None if row is None else _thread(row)


async def find_thread(connection: AsyncConnection, thread_id: str) -> Thread | None:
    """Read one thread."""
    query = _THREAD_WITH_TRAINERS.where(THREAD.c.thread_id == thread_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _thread(row)


async def save_thread(tx: AsyncConnection, thread: Thread) -> None:
    """Store what a message changes of a thread that this transaction locked."""
    last = thread.last_message_time
    await tx.execute(
        sa.update(THREAD)
        .where(THREAD.c.thread_id == thread.thread_id)
        .values(message_count=thread.message_count, last_message_time=last)
    )
    await tx.execute(
        sa.update(PARTICIPANT)
        .where(PARTICIPANT.c.thread_id == thread.thread_id)
        .values(last_message_time=last)
    )


async def list_organisation_threads(
    connection: AsyncConnection,
    organisation_id: str,
    job_id: str,
    kinds: Collection[ThreadKind],
    cursor: Cursor,
) -> Page[Thread]:
    """Read a page of an organisation's threads, last message first; no job means all."""
    of = THREAD.c.organisation_id == organisation_id
    of_job = (THREAD.c.job_id == job_id) if job_id else sa.true()
    return await _list(connection, THREAD, of & of_job, kinds, cursor)


async def list_trainer_threads(
    connection: AsyncConnection,
    trainer_id: str,
    job_id: str,
    kinds: Collection[ThreadKind],
    cursor: Cursor,
) -> Page[Thread]:
    """Read a page of the threads that a trainer is in, last message first; no job means all."""
    of = PARTICIPANT.c.trainer_id == trainer_id
    of_job = (PARTICIPANT.c.job_id == job_id) if job_id else sa.true()
    return await _list(connection, PARTICIPANT, of & of_job, kinds, cursor)


async def _list(
    connection: AsyncConnection,
    table: sa.Table,
    condition: sa.ColumnElement[bool],
    kinds: Collection[ThreadKind],
    cursor: Cursor,
) -> Page[Thread]:
    """Read a page of threads by one bounded index scan per kind, merged."""
    columns = table.c.last_message_time, table.c.thread_id
    behind = beyond(cursor, *columns, descending=True)
    newest = [column.desc() for column in columns]
    scans = (
        sa.select(*columns)
        .where(condition, table.c.kind == kind, behind)
        .order_by(*newest)
        .limit(cursor.limit)
        for kind in sorted(kinds)
    )
    found = sa.union_all(*scans).subquery("found")
    query = (
        _THREAD_WITH_TRAINERS.join(found, found.c.thread_id == THREAD.c.thread_id)
        .order_by(found.c.last_message_time.desc(), found.c.thread_id.desc())
        .limit(cursor.limit)
    )
    threads = [_thread(row) for row in await connection.execute(query)]
    return cursor.page(threads, key=lambda thread: (thread.last_message_time, thread.thread_id))


def _thread_values(thread: Thread) -> dict[str, object]:
    return {
        "thread_id": thread.thread_id,
        "kind": thread.kind,
        "organisation_id": thread.organisation_id,
        "job_id": thread.job_id,
        "proposal_id": thread.proposal_id or None,
        "contract_id": thread.contract_id or None,
        "message_count": thread.message_count,
        "create_time": thread.create_time,
        "last_message_time": thread.last_message_time,
    }


def _participants(thread: Thread) -> list[dict[str, object]]:
    return [
        {
            "thread_id": thread.thread_id,
            "trainer_id": trainer_id,
            "kind": thread.kind,
            "job_id": thread.job_id,
            "last_message_time": thread.last_message_time,
        }
        for trainer_id in thread.trainer_ids
    ]


def _thread(row: sa.Row[tuple[object, ...]]) -> Thread:
    return Thread(
        thread_id=row.thread_id,
        kind=ThreadKind(row.kind),
        organisation_id=row.organisation_id,
        job_id=row.job_id,
        proposal_id=row.proposal_id or "",
        contract_id=row.contract_id or "",
        trainer_ids=tuple(row.trainer_ids),
        message_count=row.message_count,
        create_time=row.create_time,
        last_message_time=row.last_message_time,
    )
