"""Writing in a thread, and changing what one wrote.

The lock on the thread's row puts writers in a line, so no sequence is missing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.messaging import events
from services.messaging.domain import ChangeKind, Content, Message, Thread
from services.messaging.store import changes, marks, messages, threads
from services.messaging.use_cases.access import Writer, may_read, sender_of

OUTBOX = Outbox("messaging")
REQUESTS = Requests("messaging")


@dataclass(frozen=True, slots=True)
class Written:
    """Where the message of a request stands: an answer is kept without what people wrote."""

    thread_id: str
    sequence: int


async def send_message(
    database: Database,
    writer: Writer,
    request: Request,
    *,
    thread_id: str,
    message_id: str,
    content: Content,
    file_hosts: Collection[str],
    now: datetime,
) -> Message:
    """Write a message. A repeat is answered with the message as it stands then.

    Raises NotFound when the thread is unknown or the caller no part of it; Refused
    EMPLOYER_WRITES_FIRST; InvalidInput when a file is not on one of `file_hosts` before a hire.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, writer, request, Written)
        if repeat is not None:
            return await messages.get_message(tx, repeat.thread_id, repeat.sequence)
        thread = await _lock(tx, writer, thread_id)
        thread, message = thread.write(message_id, sender_of(writer), content, now, file_hosts)
        await save_message(tx, thread, message)
        await REQUESTS.answer(tx, writer, request, Written(thread_id, message.sequence))
        return message


async def save_message(tx: AsyncConnection, thread: Thread, message: Message) -> None:
    """Store a new message and its thread after it, which this transaction opened or locked."""
    await messages.insert_message(tx, message)
    await threads.save_thread(tx, thread)
    mark = await marks.lock_mark(tx, thread.thread_id, message.sender)
    await marks.save_mark(tx, thread.thread_id, message.sender, mark.wrote(message.sequence))
    await changes.record(tx, ChangeKind.SENT, message.thread_id, message.sequence)
    await OUTBOX.record(tx, events.sent(message))


async def edit_message(
    database: Database,
    writer: Writer,
    request: Request,
    *,
    thread_id: str,
    message_id: str,
    text: str,
    now: datetime,
) -> Message:
    """Reword a message of the caller's own; the same text again changes nothing.

    Raises NotFound when the thread or the message is unknown or the caller no part of the thread;
    Refused MESSAGE_NOT_OWN or MESSAGE_DELETED.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, writer, request, Written)
        if repeat is not None:
            return await messages.get_message(tx, repeat.thread_id, repeat.sequence)
        thread = await _lock(tx, writer, thread_id)
        before = await _find_message(tx, thread_id, message_id)
        message = before.edit(sender_of(writer), thread.tellable(text), now)
        if message is not before:
            await messages.save_edit(tx, message, before.version())
            await changes.record(tx, ChangeKind.EDITED, thread_id, message.sequence)
            await OUTBOX.record(tx, events.edited(message))
        await REQUESTS.answer(tx, writer, request, Written(thread_id, message.sequence))
        return message


async def delete_message(
    database: Database,
    writer: Writer,
    request: Request,
    *,
    thread_id: str,
    message_id: str,
    now: datetime,
) -> Message:
    """Take back a message of the caller's own; a second time changes nothing.

    Raises NotFound when the thread or the message is unknown or the caller no part of the thread;
    Refused MESSAGE_NOT_OWN.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, writer, request, Written)
        if repeat is not None:
            return await messages.get_message(tx, repeat.thread_id, repeat.sequence)
        await _lock(tx, writer, thread_id)
        before = await _find_message(tx, thread_id, message_id)
        message = before.delete(sender_of(writer), now)
        if message is not before:
            await messages.save_deletion(tx, message)
            await changes.record(tx, ChangeKind.DELETED, thread_id, message.sequence)
            await OUTBOX.record(tx, events.deleted(message))
        await REQUESTS.answer(tx, writer, request, Written(thread_id, message.sequence))
        return message


async def _lock(tx: AsyncConnection, writer: Writer, thread_id: str) -> Thread:
    await threads.lock_thread(tx, thread_id)
    thread = await threads.find_thread(tx, thread_id, sender_of(writer))
    if thread is None or not may_read(writer, thread):
        raise NotFound("thread", thread_id)
    return thread


async def _find_message(tx: AsyncConnection, thread_id: str, message_id: str) -> Message:
    message = await messages.find_message(tx, thread_id, message_id)
    if message is None:
        raise NotFound("message", message_id)
    return message
