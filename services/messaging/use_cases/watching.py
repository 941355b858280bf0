"""Telling what happens in a thread while it happens."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from services.common.auth import Principal
from services.messaging.domain import Change, ChangeKind
from services.messaging.use_cases.access import reader_of
from services.messaging.use_cases.feeds import Feeds
from services.messaging.use_cases.reading import find_readable


@dataclass(frozen=True, slots=True)
class Told:
    """What a watcher is told, and after which number it resumes; the first tells no change."""

    number: int
    change: Change | None = None


async def watch_thread(
    feeds: Feeds, caller: Principal, thread_id: str, after: int | None
) -> AsyncGenerator[Told, None]:
    """Tell a thread's changes with greater numbers as they come, each once and in order.

    Without a number it begins now. Raises NotFound when the thread is unknown or the caller may not
    know of it, also later, when the caller leaves it; Exhausted LIMIT_REACHED; Unavailable, after
    which the caller resumes.
    """
    async with feeds.read() as connection:
        # Of one instant: whoever leaves after it is met on the way.
        last = (await find_readable(connection, caller, thread_id)).change_count
    number = last if after is None else min(after, last)
    person = reader_of(caller)
    async with feeds.watching(thread_id, caller) as feed:
        yield Told(number)
        while True:
            for change in await feed.after(number):
                if change.kind is ChangeKind.LEFT and change.person == person:
                    # Who left may have joined again since.
                    async with feeds.read() as connection:
                        await find_readable(connection, caller, thread_id)
                number = change.number
                yield Told(number, change)
