"""Threads, their participants, and what is known of proposals."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.messaging.domain import Proposal, SeenThread, Sender, Thread, ThreadKind
from services.messaging.store.marks import OF_READER, told
from services.messaging.store.tables import PARTICIPANT, PROPOSAL, READ_MARK, THREAD

# What `ReadMark.unread` says.
UNREAD = (
    THREAD.c.message_count
    - sa.func.coalesce(READ_MARK.c.sequence, 0)
    - sa.func.coalesce(READ_MARK.c.own_after, 0)
).label("unread_count")
MARKED = (READ_MARK.c.thread_id == THREAD.c.thread_id) & OF_READER


def _trainers(of_channel: sa.ColumnElement[bool]) -> sa.Label[Any]:
    """Select who is in a thread; of a channel, where thousands may be, these alone."""
    query = (
        sa.select(PARTICIPANT.c.trainer_id)
        .where(PARTICIPANT.c.thread_id == THREAD.c.thread_id)
        .order_by(PARTICIPANT.c.trainer_id)
        .correlate(THREAD)
    )
    some, all_of_them = (
        sa.func.array(each.scalar_subquery()) for each in (query.where(of_channel), query)
    )
    is_channel = THREAD.c.kind == ThreadKind.CHANNEL
    return sa.case((is_channel, some), else_=all_of_them).label("trainer_ids")


# Put together once: asked by each caller and each watcher.
_SEEN_BY_NONE = sa.select(THREAD, _trainers(sa.false()), sa.literal(0).label("unread_count"))
_SEEN_BY_READER = sa.select(
    THREAD, _trainers(PARTICIPANT.c.trainer_id == sa.bindparam("of_reader")), UNREAD
).outerjoin_from(THREAD, READ_MARK, MARKED)
_ONE = THREAD.c.thread_id == sa.bindparam("of_thread")
_FOUND_BY_NONE, _FOUND_BY_READER = _SEEN_BY_NONE.where(_ONE), _SEEN_BY_READER.where(_ONE)
_HELD = sa.select(THREAD.c.thread_id).where(_ONE).with_for_update()
_WRITTEN = sa.update(THREAD).where(_ONE)
_WRITTEN_FOR_ALL = sa.update(PARTICIPANT).where(
    PARTICIPANT.c.thread_id == sa.bindparam("of_thread")
)
_NEW = insert(THREAD).on_conflict_do_nothing().returning(THREAD.c.thread_id)
_PROPOSALS = sa.select(
    PROPOSAL.c.proposal_id, PROPOSAL.c.job_id, PROPOSAL.c.organisation_id, PROPOSAL.c.trainer_id
).where(PROPOSAL.c.proposal_id == sa.func.any(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))))
_NEW_PROPOSAL = insert(PROPOSAL).on_conflict_do_nothing()


def seen_by(reader: Sender | None) -> sa.Select[tuple[Any, ...]]:
    """Select threads as a reader sees them, whom `told` names; who is none has nothing unread."""
    return _SEEN_BY_NONE if reader is None else _SEEN_BY_READER


def seen_thread(row: sa.Row[tuple[Any, ...]]) -> SeenThread:
    """Give the thread of a row that `seen_by` selected."""
    return SeenThread(**_values(row), unread_count=row.unread_count, change_count=row.change_count)


async def learn_proposal(tx: AsyncConnection, proposal: Proposal) -> None:
    """Store who takes part in a proposal; a repeat changes nothing."""
    row = {
        "proposal_id": proposal.proposal_id,
        "job_id": proposal.job_id,
        "organisation_id": proposal.organisation_id,
        "trainer_id": proposal.trainer_id,
    }
    await tx.execute(_NEW_PROPOSAL, row)


async def find_proposal(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Read who takes part in a proposal."""
    return (await find_proposals(connection, [proposal_id])).get(proposal_id)


async def find_proposals(
    connection: AsyncConnection, proposal_ids: Sequence[str]
) -> dict[str, Proposal]:
    """Read who takes part in those of the proposals that are known, by id."""
    found = await connection.execute(_PROPOSALS, {"ids": list(proposal_ids)})
    return {row.proposal_id: Proposal(*row) for row in found}


async def claim_thread(tx: AsyncConnection, wanted: Thread) -> Thread:
    """Store a new thread, or answer with the one that has its place.

    The unique keys on proposal, contract and id decide. `wanted` itself is answered if, and only
    if, it was stored.
    """
    stored = await tx.execute(_NEW, _thread_values(wanted))
    if stored.one_or_none() is not None:
        if wanted.trainer_ids:
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
        _SEEN_BY_NONE.where(same_place | (THREAD.c.thread_id == wanted.thread_id))
        # Its contract's thread says more than a stranger that has the id.
        .order_by(same_place.desc().nulls_last())
        .limit(1)
    )
    return _thread((await tx.execute(query)).one())


async def lock_thread(tx: AsyncConnection, thread_id: str) -> None:
    """Hold a thread's row, if there is one, until the transaction ends. Load it afterwards.

    A statement that both waited and read would see who was in the thread before its wait.
    """
    await tx.execute(_HELD, {"of_thread": thread_id})


async def find_thread(
    connection: AsyncConnection, thread_id: str, reader: Sender | None = None
) -> SeenThread | None:
    """Read one thread as a reader sees it."""
    row = (await _found(connection, thread_id, reader)).one_or_none()
    return None if row is None else seen_thread(row)


async def get_thread(
    connection: AsyncConnection, thread_id: str, reader: Sender | None = None
) -> SeenThread:
    """Read a thread that is known to exist: threads are never removed."""
    return seen_thread((await _found(connection, thread_id, reader)).one())


async def get_threads(
    connection: AsyncConnection, thread_ids: Sequence[str], reader: Sender | None
) -> dict[str, SeenThread]:
    """Read threads that are known to exist, by id."""
    ids: sa.ColumnElement[Any] = sa.cast(list(thread_ids), sa.ARRAY(sa.Text))
    query = seen_by(reader).where(THREAD.c.thread_id == sa.func.any(ids))
    found = await connection.execute(query, told(reader))
    return {row.thread_id: seen_thread(row) for row in found}


async def save_thread(tx: AsyncConnection, thread: Thread) -> None:
    """Store what a message changes of a thread that this transaction locked.

    In a channel, where thousands may be, it changes nothing of theirs.
    """
    last = {"of_thread": thread.thread_id, "last_message_time": thread.last_message_time}
    await tx.execute(_WRITTEN, last | {"message_count": thread.message_count})
    if thread.kind is not ThreadKind.CHANNEL:
        await tx.execute(_WRITTEN_FOR_ALL, last)


async def _found(
    connection: AsyncConnection, thread_id: str, reader: Sender | None
) -> sa.CursorResult[Any]:
    query = _FOUND_BY_NONE if reader is None else _FOUND_BY_READER
    return await connection.execute(query, {"of_thread": thread_id, **told(reader)})


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
        "name": thread.name,
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


def _thread(row: sa.Row[tuple[Any, ...]]) -> Thread:
    return Thread(**_values(row))


def _values(row: sa.Row[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "thread_id": row.thread_id,
        "kind": ThreadKind(row.kind),
        "organisation_id": row.organisation_id,
        "job_id": row.job_id,
        "proposal_id": row.proposal_id or "",
        "contract_id": row.contract_id or "",
        "trainer_ids": tuple(row.trainer_ids),
        "message_count": row.message_count,
        "create_time": row.create_time,
        "last_message_time": row.last_message_time,
        "name": row.name,
    }
