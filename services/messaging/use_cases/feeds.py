"""The changes of watched threads, read once per process for all who watch there.

A watcher costs memory alone: no connection, no read of its own unless it is far behind. Each goes
at its own pace through what its thread's feed has; whoever is slower than that reads from the table
what it missed, and nobody waits for it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context
from dataclasses import replace
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.errors import Conflict, Exhausted, Unavailable
from services.common.telemetry import get_logger
from services.messaging.domain import Change, ChangeKind
from services.messaging.store import changes

WATCHERS_LIMIT, CALLER_LIMIT = 10_000, 100
_TAIL = 256
_BATCH = 100
# Of the process's ten connections: watchers, thousands of which come back at once after a restart,
# wait in a line of their own and leave the rest to the other calls.
_CONNECTIONS = 3
# The listening connection wakes all after a loss; this is for what nobody thought of.
_POLL_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_REWRITING = (ChangeKind.EDITED, ChangeKind.DELETED)
_log = get_logger(__name__)


class Feed:
    """The latest changes of one thread."""

    def __init__(self, feeds: "Feeds", thread_id: str) -> None:
        self.thread_id = thread_id
        self._feeds = feeds
        self._tail: deque[Change] = deque(maxlen=_TAIL)
        self._last: int | None = None
        self._news = asyncio.Event()
        self._ended = False
        self.watchers = 0
        # A context of its own: it works for all watchers, not in the first one's trace.
        self._following = asyncio.create_task(self._follow(), context=Context())
        self._following.add_done_callback(self._note_end)

    async def after(self, number: int) -> list[Change]:
        """Wait for changes with greater numbers; give them in order, not always all at once.

        Raises Unavailable when the database does not answer one who is far behind, and when the
        feed came to an end of its own.
        """
        while not self._ended and (self._last is None or number >= self._last):
            await self._news.wait()
        if self._ended:
            told = "this thread is watched no more here: resume"
            raise Unavailable("DEPENDENCY_UNAVAILABLE", told)
        if self._tail and number + 1 >= self._tail[0].number:
            return list(islice(self._tail, number + 1 - self._tail[0].number, None))
        async with self._feeds.read() as connection:
            return await changes.changes_after(connection, self.thread_id, number, _BATCH)

    async def close(self) -> None:
        """Read no more; nobody watches."""
        self._following.cancel()
        await asyncio.wait([self._following])

    def _note_end(self, following: asyncio.Task[None]) -> None:
        """Let nobody wait for a feed that a defect ended, nor come to it anew."""
        if not following.cancelled():
            error = following.exception()
            _log.error("changes are read no more", thread_id=self.thread_id, exc_info=error)
            self._ended = True
            self._news.set()
            self._feeds.drop(self)

    async def _follow(self) -> None:
        """Read what is committed until cancelled."""
        async with self._feeds.database.listen(changes.CHANNEL, self.thread_id) as signal:
            while True:
                try:
                    grown = await self._grow()
                except (Unavailable, Conflict) as error:
                    _log.warning("changes wait", thread_id=self.thread_id, error=repr(error))
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    if not grown:
                        await signal.wait(_POLL_SECONDS)

    async def _grow(self) -> bool:
        news: list[Change] = []
        async with self._feeds.read() as connection:
            if self._last is None:
                last = await changes.last_number(connection, self.thread_id)
            else:
                news = await changes.changes_after(connection, self.thread_id, self._last, _BATCH)
                last = news[-1].number if news else self._last
        # All in one turn of the loop: a watcher that comes between them would find nothing where
        # something must be, and ask again for ever.
        self._forget_what_was_said(news)
        self._tail.extend(news)
        self._last = last
        self._news.set()
        self._news = asyncio.Event()
        return bool(news)

    def _forget_what_was_said(self, news: list[Change]) -> None:
        """Let the tail tell messages that were edited or deleted as they stand by now."""
        stands = {
            change.message.sequence: change.message
            for change in news
            if change.message is not None and change.kind in _REWRITING
        }
        for place, change in enumerate(self._tail):
            if change.message is not None and change.message.sequence in stands:
                self._tail[place] = replace(change, message=stands[change.message.sequence])


class Feeds:
    """The feeds of a process; a thread has one while somebody watches it."""

    def __init__(
        self,
        database: Database,
        limit: int = WATCHERS_LIMIT,
        caller_limit: int = CALLER_LIMIT,
    ) -> None:
        self.database = database
        self._limit, self._caller_limit = limit, caller_limit
        self._watchers: Counter[tuple[Kind, str]] = Counter()
        self._reading = asyncio.Semaphore(_CONNECTIONS)
        self._feeds: dict[str, Feed] = {}

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for a watcher, when its turn has come. Raises Unavailable."""
        async with self._reading, self.database.read() as connection:
            yield connection

    @asynccontextmanager
    async def watching(self, thread_id: str, caller: Principal) -> AsyncIterator[Feed]:
        """Open the feed of a thread for one watcher.

        Raises Exhausted LIMIT_REACHED when the process has as many as it takes, of all callers or
        of this one.
        """
        with self._place(caller):
            if thread_id not in self._feeds:
                self._feeds[thread_id] = Feed(self, thread_id)
            feed = self._feeds[thread_id]
            feed.watchers += 1
            try:
                yield feed
            finally:
                feed.watchers -= 1
                if not feed.watchers:
                    self.drop(feed)
                    await feed.close()

    def drop(self, feed: Feed) -> None:
        """Let whoever comes next to the thread begin another feed."""
        if self._feeds.get(feed.thread_id) is feed:
            del self._feeds[feed.thread_id]

    @contextmanager
    def _place(self, caller: Principal) -> Iterator[None]:
        person = caller.kind, caller.id
        if self._watchers.total() >= self._limit:
            message = f"this server has {self._limit:,} watchers: resume on another"
            raise Exhausted("LIMIT_REACHED", message)
        if self._watchers[person] >= self._caller_limit:
            message = f"you have {self._caller_limit:,} streams open on this server: close some"
            raise Exhausted("LIMIT_REACHED", message)
        self._watchers[person] += 1
        try:
            yield
        finally:
            self._watchers[person] -= 1
            if not self._watchers[person]:
                del self._watchers[person]
