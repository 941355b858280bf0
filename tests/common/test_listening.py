"""The listening connection outlives whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from services.common import listening
from services.common.database import Database, notify
from services.common.settings import Settings
from tests.waiting import until

# An error that ends a session, as the server writes it: its length counts itself.
_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
GIVEN_UP = b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS


class Line:
    """A line to PostgreSQL on which the server's end can say that it gives up, and not hang up."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[asyncio.StreamWriter] = []

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
            await asyncio.gather(_pipe(reader, to_server), _pipe(upstream, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def test_a_session_that_the_server_gave_up_and_did_not_close_is_listened_to_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(listening, "_RETRY", 0.1)
    url = make_url(settings.database_url.get_secret_value())
    assert url.port is not None
    line = Line(url.port)
    async with line.opened() as port:
        through = url.set(port=port).render_as_string(hide_password=False)
        own = settings.model_copy(update={"database_url": SecretStr(through)})
        async with (
            Database.open(settings, "test") as database,
            Database.open(own, "listening") as listener,
            listener.listen("test_given_up") as signal,
        ):

            async def hears() -> bool:
                async with database.begin() as tx:
                    await notify(tx, "test_given_up")
                return await signal.wait(0.2)

            await until(hears)
            assert await line.give_up() == 1
            await asyncio.sleep(1)  # several heartbeats on what was given up
            await signal.wait(0)
            await until(hears)
