"""Read marks: how far each person has read."""

from services.common.database import Database
from services.common.errors import InvalidInput, NotFound, Violation
from services.messaging.domain import ChangeKind
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
        thread = await threads.lock_thread(tx, thread_id, person)
        if thread is None or not may_read(reader, thread):
            raise NotFound("thread", thread_id)
        if sequence > thread.message_count:
            told = f"must be at most {thread.message_count}, the thread's last message"
            raise InvalidInput([Violation("sequence", told)])
        mark = await marks.lock_mark(tx, thread_id, person)
        if sequence > mark.sequence:
            mark = await marks.mark_at(tx, thread_id, person, sequence)
            await marks.save_mark(tx, thread_id, person, mark)
            if thread.tells_reading:
                await changes.record(tx, ChangeKind.READ, thread_id, sequence, person)
        return mark.unread(thread.message_count)
