"""How far each reader has read in each thread."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.messaging.domain import ReadMark, Sender
from services.messaging.store.tables import MESSAGE, READ_MARK

# The marks of a reader, whom `told` names to the statement.
OF_READER = (READ_MARK.c.reader_kind == sa.bindparam("of_kind")) & (
    READ_MARK.c.reader_id == sa.bindparam("of_reader")
)
# Put together once, as whatever is asked for each message.
_OF = (READ_MARK.c.thread_id == sa.bindparam("of_thread")) & OF_READER
_MARK = sa.select(READ_MARK.c.sequence, READ_MARK.c.own_after).where(_OF)
_LOCKED = _MARK.with_for_update()
_NEW = insert(READ_MARK).on_conflict_do_nothing()
_MOVED = sa.update(READ_MARK).where(_OF)


def told(reader: Sender | None) -> dict[str, str]:
    """Name a reader to a statement; who is none needs no name."""
    return {} if reader is None else {"of_kind": reader.kind, "of_reader": reader.id}


async def find_mark(connection: AsyncConnection, thread_id: str, reader: Sender) -> ReadMark:
    """Read a reader's mark; at first it is at nothing."""
    row = (await connection.execute(_MARK, _of(thread_id, reader))).one_or_none()
    return ReadMark() if row is None else ReadMark(*row)


async def lock_mark(tx: AsyncConnection, thread_id: str, reader: Sender) -> ReadMark:
    """Load a reader's mark and hold it until the transaction ends; at first it is at nothing."""
    none_yet = {"sequence": 0, "own_after": 0}
    await tx.execute(_NEW, _key(thread_id, reader) | none_yet)
    return ReadMark(*(await tx.execute(_LOCKED, _of(thread_id, reader))).one())


async def save_mark(tx: AsyncConnection, thread_id: str, reader: Sender, mark: ReadMark) -> None:
    """Store a mark that this transaction locked."""
    to = {"sequence": mark.sequence, "own_after": mark.own_after}
    await tx.execute(_MOVED, _of(thread_id, reader) | to)


async def mark_all(
    tx: AsyncConnection, thread_id: str, readers: Sequence[Sender], sequence: int
) -> None:
    """Store that readers, one or more, have read until a thread's last message."""
    mark = {"sequence": sequence, "own_after": 0}
    moved = insert(READ_MARK).on_conflict_do_update(constraint="read_mark_pkey", set_=mark)
    await tx.execute(moved, [_key(thread_id, each) | mark for each in readers])


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


def _key(thread_id: str, reader: Sender) -> dict[str, object]:
    return {"thread_id": thread_id, "reader_kind": reader.kind, "reader_id": reader.id}


def _of(thread_id: str, reader: Sender) -> dict[str, object]:
    return {"of_thread": thread_id, **told(reader)}
