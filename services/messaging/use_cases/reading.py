"""What each caller may see of threads."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Kind, Principal, require_reader
from services.common.database import Database
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from services.messaging.domain import Message, SeenThread, Version
from services.messaging.store import listing, messages, threads
from services.messaging.store.listing import Wanted
from services.messaging.use_cases.access import Reviewer, may_read, reader_of


async def get_thread(database: Database, caller: Principal, thread_id: str) -> SeenThread:
    """Read one thread. Raises NotFound when it is unknown or the caller may not know of it."""
    async with database.read() as connection:
        return await find_readable(connection, caller, thread_id)


async def list_threads(
    database: Database, caller: Principal, organisation_id: str, wanted: Wanted, cursor: Cursor
) -> Page[SeenThread]:
    """List threads, last message first: a trainer's own, for all others an organisation's.

    A thread that gets a message while its reader turns the pages is on the first page again, and
    no other thread is missed or shown twice. Raises NotFound for another organisation than the
    caller's own; operators and services have none and may name any.
    """
    if caller.kind is Kind.TRAINER:
        async with database.read() as connection:
            return await listing.list_trainer_threads(connection, caller.id, wanted, cursor)
    require_reader(caller, organisation_id, "organisation", organisation_id)
    async with database.read() as connection:
        return await listing.list_organisation_threads(connection, organisation_id, wanted, cursor)


async def list_messages(
    database: Database,
    caller: Principal,
    thread_id: str,
    cursor: Cursor,
    *,
    oldest_first: bool,
    beginning: int,
) -> Page[Message]:
    """List a thread's messages in one direction, from its end or, if given, a message on.

    Raises NotFound as get_thread does.
    """
    async with database.read() as connection:
        await find_readable(connection, caller, thread_id)
        return await messages.list_messages(
            connection, thread_id, cursor, oldest_first=oldest_first, beginning=beginning
        )


async def list_versions(
    database: Database, caller: Reviewer, thread_id: str, message_id: str, cursor: Cursor
) -> Page[Version]:
    """List what a message said before it was edited, oldest first; nothing once it is deleted.

    Raises NotFound as get_thread does, and when the message is none of the thread's.
    """
    async with database.read() as connection:
        await find_readable(connection, caller, thread_id)
        message = await messages.find_message(connection, thread_id, message_id)
        if message is None:
            raise NotFound("message", message_id)
        return await messages.list_versions(connection, thread_id, message.sequence, cursor)


async def find_readable(
    connection: AsyncConnection, caller: Principal, thread_id: str
) -> SeenThread:
    """Read a thread. Raises NotFound when it is unknown or the caller may not know of it."""
    thread = await threads.find_thread(connection, thread_id, reader_of(caller))
    if thread is None or not may_read(caller, thread):
        raise NotFound("thread", thread_id)
    return thread
