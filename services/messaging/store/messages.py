"""The messages of threads."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.messaging.domain import Message, MessageKind, Sender, SenderKind
from services.messaging.store.tables import MESSAGE


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
    }
    await tx.execute(sa.insert(MESSAGE).values(row))


async def get_message(connection: AsyncConnection, thread_id: str, sequence: int) -> Message:
    """Read a message that is known to exist: messages are never removed."""
    query = sa.select(MESSAGE).where(
        MESSAGE.c.thread_id == thread_id, MESSAGE.c.sequence == sequence
    )
    return _message((await connection.execute(query)).one())


async def list_messages(
    connection: AsyncConnection, thread_id: str, cursor: Cursor
) -> Page[Message]:
    """Read a page of a thread's messages, newest first."""
    query = (
        sa.select(MESSAGE)
        .where(
            MESSAGE.c.thread_id == thread_id,
            beyond(cursor, MESSAGE.c.sequence, descending=True),
        )
        .order_by(MESSAGE.c.sequence.desc())
        .limit(cursor.limit)
    )
    messages = [_message(row) for row in await connection.execute(query)]
    return cursor.page(messages, key=lambda message: (message.sequence,))


def _message(row: sa.Row[tuple[object, ...]]) -> Message:
    return Message(
        message_id=row.message_id,
        thread_id=row.thread_id,
        sequence=row.sequence,
        kind=MessageKind(row.kind),
        sender=Sender(SenderKind(row.sender_kind), row.sender_id),
        text=row.text,
        create_time=row.create_time,
    )
