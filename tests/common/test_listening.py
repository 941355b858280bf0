"""The listening connection outlives whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from services.common import listening
from services.common.database import Database, notify
from services.common.listening import Signal
from services.common.settings import Settings
from tests.waiting import until

# An error that ends a session, as the server writes it: its length counts itself.
_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
GIVEN_UP = b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS


class Line:
    """A line to PostgreSQL whose far end can keep silent, or say that it gives up and not hang up.

    `answers`: the server's are let through while it is set.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[asyncio.StreamWriter] = []
        self.answers = asyncio.Event()
        self.answers.set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for client in self._clients:
                client.close()

    async def give_up(self) -> int:
        """Give every connection up; how many there were."""
        for client in self._clients:
            client.write(GIVEN_UP)
            await client.drain()
        return len(self._clients)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        self._clients.append(writer)
        with suppress(ConnectionError):
            await asyncio.gather(
                _pipe(reader, to_server), _pipe(upstream, writer, when=self.answers)
            )


async def _pipe(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    when: asyncio.Event | None = None,
) -> None:
    try:
        while data := await reader.read(65536):
            if when is not None:
                await when.wait()
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Line, Database, Database]]:
    """A line, a database that listens through it, and one that notifies past it."""
    url = make_url(settings.database_url.get_secret_value())
    assert url.port is not None
    line = Line(url.port)
    async with line.opened() as port:
        through = url.set(port=port).render_as_string(hide_password=False)
        own = settings.model_copy(update={"database_url": SecretStr(through)})
        async with (
            Database.open(settings, "test") as database,
            Database.open(own, "listening") as listener,
        ):
            yield line, listener, database


async def _hears(database: Database, channel: str, signal: Signal) -> bool:
    async with database.begin() as tx:
        await notify(tx, channel)
    return await signal.wait(0.2)


async def test_who_comes_while_the_first_listener_gives_up_waits_until_it_is_listened(
    settings: Settings,
) -> None:
    async with _opened(settings) as (line, listener, database), AsyncExitStack() as listening:
        async with listener.listen("test_before") as signal:
            await until(partial(_hears, database, "test_before", signal))
        line.answers.clear()
        first = asyncio.create_task(listening.enter_async_context(listener.listen("test_new")))
        second = asyncio.create_task(listening.enter_async_context(listener.listen("test_new")))
        await asyncio.sleep(0)  # until the server is asked
        first.cancel()
        await asyncio.wait([first])
        assert not second.done()
        line.answers.set()
        signal = await asyncio.wait_for(second, 30)
        async with database.begin() as tx:
            await notify(tx, "test_new")
        assert await signal.wait(10)


async def test_a_session_that_the_server_gave_up_and_did_not_close_is_listened_to_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_HEARTBEAT", 0.2)
    async with (
        _opened(settings) as (line, listener, database),
        listener.listen("test_given_up") as signal,
    ):
        hears = partial(_hears, database, "test_given_up", signal)
        await until(hears)
        assert await line.give_up() == 1
        await asyncio.sleep(1)  # several heartbeats on what was given up
        await signal.wait(0)
        await until(hears)
