"""The messages of threads, and what they said before."""

from collections.abc import Collection
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.messaging.domain import (
    Attachment,
    Message,
    MessageKind,
    Sender,
    SenderKind,
    Version,
)
from services.messaging.store.tables import MESSAGE, MESSAGE_VERSION

_NEW = sa.insert(MESSAGE)
_PLACED = sa.select(MESSAGE).where(
    MESSAGE.c.thread_id == sa.bindparam("of_thread"), MESSAGE.c.sequence == sa.bindparam("place")
)
_NAMED = sa.select(MESSAGE).where(
    MESSAGE.c.message_id == sa.bindparam("named"), MESSAGE.c.thread_id == sa.bindparam("of_thread")
)


async def insert_message(tx: AsyncConnection, message: Message) -> None:
    """Store a new message."""
    row = {
        "thread_id": message.thread_id,
        "sequence": message.sequence,
        "message_id": message.message_id,
        "kind": message.kind,
        "sender_kind": message.sender.kind,
        "sender_id": message.sender.id,
        "text": message.text,
        "create_time": message.create_time,
        "attachments": [asdict(each) for each in message.attachments],
    }
    await tx.execute(_NEW, row)


async def get_message(connection: AsyncConnection, thread_id: str, sequence: int) -> Message:
    """Read a message that is known to exist: messages are never removed."""
    told = {"of_thread": thread_id, "place": sequence}
    return message_of((await connection.execute(_PLACED, told)).one())


async def get_messages(
    connection: AsyncConnection, places: Collection[tuple[str, int]]
) -> dict[str, Message]:
    """Read messages that are known to exist, one of each thread, by thread."""
    query = sa.select(MESSAGE).where(sa.tuple_(MESSAGE.c.thread_id, MESSAGE.c.sequence).in_(places))
    return {row.thread_id: message_of(row) for row in await connection.execute(query)}


async def find_message(
    connection: AsyncConnection, thread_id: str, message_id: str
) -> Message | None:
    """Read the message of a thread; the lock on the thread's row holds it as it is."""
    told = {"of_thread": thread_id, "named": message_id}
    row = (await connection.execute(_NAMED, told)).one_or_none()
    return None if row is None else message_of(row)


async def save_edit(tx: AsyncConnection, message: Message, before: Version) -> None:
    """Store what an edit changes, and what the message said before it."""
    version = {
        "thread_id": message.thread_id,
        "sequence": message.sequence,
        "number": before.number,
        "text": before.text,
        "create_time": before.create_time,
    }
    await tx.execute(sa.insert(MESSAGE_VERSION).values(version))
    await tx.execute(
        _change(message).values(
            text=message.text, edit_count=message.edit_count, edit_time=message.edit_time
        )
    )


async def save_deletion(tx: AsyncConnection, message: Message) -> None:
    """Store that a message was deleted: what it said, and said before, is gone for good."""
    await tx.execute(
        sa.delete(MESSAGE_VERSION).where(
            MESSAGE_VERSION.c.thread_id == message.thread_id,
            MESSAGE_VERSION.c.sequence == message.sequence,
        )
    )
    gone = _change(message).values(text="", attachments=[], delete_time=message.delete_time)
    await tx.execute(gone)


async def list_messages(
    connection: AsyncConnection,
    thread_id: str,
    cursor: Cursor,
    *,
    oldest_first: bool = False,
    beginning: int = 0,
) -> Page[Message]:
    """Read a page of a thread's messages in one direction, from its end or a message on."""
    place = MESSAGE.c.sequence
    begun: sa.ColumnElement[bool] = sa.true()
    if beginning:
        begun = place >= beginning if oldest_first else place <= beginning
    query = (
        sa.select(MESSAGE)
        .where(
            MESSAGE.c.thread_id == thread_id,
            begun,
            beyond(cursor, place, descending=not oldest_first),
        )
        .order_by(place.asc() if oldest_first else place.desc())
        .limit(cursor.limit)
    )
    messages = [message_of(row) for row in await connection.execute(query)]
    return cursor.page(messages, lambda message: (message.sequence,), _weight)


def _weight(message: Message) -> int:
    files = sum(len(each.name.encode()) + len(each.address) for each in message.attachments)
    return len(message.text.encode()) + files


async def list_versions(
    connection: AsyncConnection, thread_id: str, sequence: int, cursor: Cursor
) -> Page[Version]:
    """Read a page of what a message said before it was edited, oldest first."""
    table = MESSAGE_VERSION
    query = (
        sa.select(table.c.number, table.c.text, table.c.create_time)
        .where(
            table.c.thread_id == thread_id,
            table.c.sequence == sequence,
            beyond(cursor, table.c.number),
        )
        .order_by(table.c.number)
        .limit(cursor.limit)
    )
    versions = [Version(*row) for row in await connection.execute(query)]
    return cursor.page(versions, key=lambda version: (version.number,))


def message_of(row: sa.Row[tuple[object, ...]]) -> Message:
    """Give the message of a row that has all columns of its table."""
    return Message(
        message_id=row.message_id,
        thread_id=row.thread_id,
        sequence=row.sequence,
        kind=MessageKind(row.kind),
        sender=Sender(SenderKind(row.sender_kind), row.sender_id),
        text=row.text,
        create_time=row.create_time,
        attachments=tuple(Attachment(**each) for each in row.attachments),
        edit_count=row.edit_count,
        edit_time=row.edit_time,
        delete_time=row.delete_time,
    )


def _change(message: Message) -> sa.Update:
    of = (MESSAGE.c.thread_id == message.thread_id) & (MESSAGE.c.sequence == message.sequence)
    return sa.update(MESSAGE).where(of)
