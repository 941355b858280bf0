"""LISTEN/NOTIFY: who waits for a change is woken when it commits.

One connection per process listens for everyone, because a waiting watcher must not hold one of
the few pooled connections.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from services.common.telemetry import get_logger

Connect = Callable[[], Awaitable[asyncpg.Connection]]

_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What the driver says of a connection that the server gave up and did not close yet.
    asyncpg.InternalClientError,
)
_HEARTBEAT = 20.0
_log = get_logger(__name__)


class Signal:
    """Wakes one waiter. What happened is for the waiter to read: a signal carries no data."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()

    def set(self) -> None:
        """Wake the waiter, or its next wait."""
        self._happened.set()

    async def wait(self, timeout: float) -> bool:
        """Wait for something to happen since the last wait, for at most `timeout` seconds.

        False means that the time is up: read anyway, since a notification may be lost while the
        listening connection is being renewed.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._happened.wait()
        happened = self._happened.is_set()
        self._happened.clear()
        return happened


@dataclass(eq=False, slots=True)
class _Line:
    """A connection, and the channels that it listens to by the server's own word."""

    connection: asyncpg.Connection
    channels: set[str] = field(default_factory=set)


class Listener:
    """The listening connection of a process: renews itself, and wakes all after a gap.

    Between two tries to connect it pauses `retry_pause` seconds.
    """

    def __init__(self, connect: Connect, retry_pause: float) -> None:
        self._connect = connect
        self._retry_pause = retry_pause
        self._line: _Line | None = None
        self._using = asyncio.Lock()
        self._signals: dict[str, dict[str, set[Signal]]] = {}

    @asynccontextmanager
    async def listen(self, channel: str, key: str = "") -> AsyncIterator[Signal]:
        """Open a signal for `channel`; a `key` hears its own notifications alone.

        Listen first, then read, then wait: nothing is missed in between.
        """
        signal = Signal()
        keys = self._signals.setdefault(channel, {})
        keys.setdefault(key, set()).add(signal)
        try:
            await self._tune_in(channel)
            yield signal
        finally:
            # The channel itself stays: there are few, and the next watcher finds it open.
            keys[key].discard(signal)
            if not keys[key]:
                del keys[key]

    async def _tune_in(self, channel: str) -> None:
        """Have the present connection, if any, listen to a channel, and wait until it does.

        One that does not is given up: the next listens to all channels, and wakes all.
        """
        if self._line is not None and channel in self._line.channels:
            return
        async with self._using:
            line = self._line
            if line is not None and channel not in line.channels:
                try:
                    await line.connection.add_listener(channel, self._heard)
                except _LOST:
                    line.connection.terminate()
                else:
                    line.channels.add(channel)

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the connection."""
        while True:
            try:
                await self._listen_until_lost()
            except _LOST as error:
                _log.warning("listening connection lost", error=repr(error))
            await asyncio.sleep(self._retry_pause)

    async def _listen_until_lost(self) -> None:
        connection = await self._connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            self._line = _Line(connection)
            for channel in list(self._signals):
                await self._tune_in(channel)
            self._wake_all()
            while not lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_HEARTBEAT):
                        await lost.wait()
                if not lost.is_set():
                    async with self._using:
                        await connection.execute("SELECT 1", timeout=_HEARTBEAT)
        finally:
            self._line = None
            connection.terminate()

    def _heard(self, _: object, __: int, channel: str, key: object) -> None:
        keys = self._signals.get(channel, {})
        for signal in (*keys.get(str(key), ()), *(keys.get("", ()) if key else ())):
            signal.set()

    def _wake_all(self) -> None:
        for keys in self._signals.values():
            for signals in keys.values():
                for signal in signals:
                    signal.set()
