"""How far each reader has read in each thread."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.messaging.domain import ReadMark, Sender
from services.messaging.store.tables import MESSAGE, READ_MARK

_MARK = sa.select(READ_MARK.c.sequence, READ_MARK.c.own_after)


async def find_mark(connection: AsyncConnection, thread_id: str, reader: Sender) -> ReadMark:
    """Read a reader's mark; at first it is at nothing."""
    row = (await connection.execute(_MARK.where(_of(thread_id, reader)))).one_or_none()
    return ReadMark() if row is None else ReadMark(*row)


async def lock_mark(tx: AsyncConnection, thread_id: str, reader: Sender) -> ReadMark:
    """Load a reader's mark and hold it until the transaction ends; at first it is at nothing."""
    key = {"thread_id": thread_id, "reader_kind": reader.kind, "reader_id": reader.id}
    none_yet = insert(READ_MARK).values(**key, sequence=0, own_after=0)
    await tx.execute(none_yet.on_conflict_do_nothing())
    query = _MARK.where(_of(thread_id, reader)).with_for_update()
    return ReadMark(*(await tx.execute(query)).one())


async def save_mark(tx: AsyncConnection, thread_id: str, reader: Sender, mark: ReadMark) -> None:
    """Store a mark that this transaction locked."""
    moved = sa.update(READ_MARK).where(_of(thread_id, reader))
    await tx.execute(moved.values(sequence=mark.sequence, own_after=mark.own_after))


async def mark_all(
    tx: AsyncConnection, thread_id: str, readers: Sequence[Sender], sequence: int
) -> None:
    """Store that readers, one or more, have read until a thread's last message."""
    rows = [
        {"thread_id": thread_id, "reader_kind": each.kind, "reader_id": each.id} for each in readers
    ]
    mark = {"sequence": sequence, "own_after": 0}
    moved = insert(READ_MARK).on_conflict_do_update(constraint="read_mark_pkey", set_=mark)
    await tx.execute(moved, [row | mark for row in rows])


async def count_own(
    tx: AsyncConnection, thread_id: str, reader: Sender, after: int, until: int
) -> int:
    """Count the messages that a reader wrote after one message and until another.

    Lock the mark first: whoever writes one moves it.
    """
    query = (
        sa.select(sa.func.count())
        .select_from(MESSAGE)
        .where(
            MESSAGE.c.thread_id == thread_id,
            MESSAGE.c.sender_kind == reader.kind,
            MESSAGE.c.sender_id == reader.id,
            MESSAGE.c.sequence > after,
            MESSAGE.c.sequence <= until,
        )
    )
    return (await tx.execute(query)).scalar_one()


def of_reader(reader: Sender) -> sa.ColumnElement[bool]:
    """Give the condition for the marks of a reader."""
    return (READ_MARK.c.reader_kind == reader.kind) & (READ_MARK.c.reader_id == reader.id)


def _of(thread_id: str, reader: Sender) -> sa.ColumnElement[bool]:
    return (READ_MARK.c.thread_id == thread_id) & of_reader(reader)
