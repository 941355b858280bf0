"""Read marks: how far each person has read."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import InvalidInput, NotFound, Violation
from services.messaging.domain import ChangeKind, Sender, Thread
from services.messaging.store import changes, marks, threads
from services.messaging.use_cases.access import Writer, may_read, sender_of


async def mark_read(database: Database, reader: Writer, thread_id: str, sequence: int) -> int:
    """Note that the caller has read a thread until a message; answer how many are unread.

    A mark never moves back, so a repeat, or one that comes late, changes nothing. Raises NotFound
    when the thread is unknown or the caller no part of it; InvalidInput when the message is beyond
    the thread's last.
    """
    person = sender_of(reader)
    async with database.begin() as tx:
        thread = await threads.find_thread(tx, thread_id, person)
        if thread is None or not may_read(reader, thread):
            raise NotFound("thread", thread_id)
        if sequence > thread.message_count:
            told = f"must be at most {thread.message_count}, the thread's last message"
            raise InvalidInput([Violation("sequence", told)])
        if await _advance(tx, thread, person, sequence):
            thread = await threads.get_thread(tx, thread_id, person)
        return thread.unread_count


async def _advance(tx: AsyncConnection, thread: Thread, person: Sender, sequence: int) -> bool:
    """Move a mark, unless it is there or further; answer whether it moved.

    Who reads in a channel holds up nobody who writes there, and a repeat nobody anywhere.
    """
    if (await marks.find_mark(tx, thread.thread_id, person)).sequence >= sequence:
        return False
    if thread.tells_reading:
        # The thread before the mark: whoever writes takes them in this order.
        await threads.lock_thread(tx, thread.thread_id)
    mark = await marks.lock_mark(tx, thread.thread_id, person)
    if mark.sequence >= sequence:  # moved by another call meanwhile
        return False
    own = await marks.count_own(tx, thread.thread_id, person, mark.sequence, sequence)
    await marks.save_mark(tx, thread.thread_id, person, mark.read(sequence, own))
    if thread.tells_reading:
        await changes.record(tx, ChangeKind.READ, thread.thread_id, sequence, person)
    return True
