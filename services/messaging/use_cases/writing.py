"""Adding to a thread. The lock on its row puts writers in a line, so no sequence is missing."""

from dataclasses import dataclass
from datetime import datetime

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.messaging import events
from services.messaging.domain import Message
from services.messaging.store import messages, threads
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
    text: str,
    now: datetime,
) -> Message:
    """Write a message.

    Raises NotFound when the thread is unknown or the caller no part of it; Refused
    EMPLOYER_WRITES_FIRST.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, writer, request, Written)
        if repeat is not None:
            return await messages.get_message(tx, repeat.thread_id, repeat.sequence)
        thread = await threads.lock_thread(tx, thread_id)
        if thread is None or not may_read(writer, thread):
            raise NotFound("thread", thread_id)
        thread, message = thread.write(message_id, sender_of(writer), text, now)
        await messages.insert_message(tx, message)
        await threads.save_thread(tx, thread)
        await OUTBOX.record(tx, events.sent(message))
        await REQUESTS.answer(tx, writer, request, Written(thread_id, message.sequence))
        return message
