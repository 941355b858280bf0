"""TCP lines between the processes that can be cut, as switches and load balancers cut them."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.local.data_dir import DataDir, read_json
from deploy.local.ports import HOST

_CHUNK = 65536
# Close with a reset: the other side learns at once that its answer will never come.
_NO_LINGER = struct.pack("ii", 1, 0)


class Line:
    """A way to one process; whoever dials it is connected, and may be cut off at any byte."""

    def __init__(self, data: DataDir, name: str) -> None:
        self._data = data
        self._name = name
        self._server: asyncio.Server | None = None
        self._open: set[StreamWriter] = set()

    @property
    def port(self) -> int:
        """The port to dial.

        Raises:
            RuntimeError: the line is not open.

        """
        if self._server is None:
            raise RuntimeError(f"the line to {self._name} is not open")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """The address to dial, host:port."""
        return f"{HOST}:{self.port}"

    def cut(self) -> int:
        """Reset every connection now, whatever is on its way; tell how many that were."""
        cut = list(self._open)
        for writer in cut:
            _reset(writer)
        return len(cut) // 2

    async def open(self) -> None:
        """Listen; the process itself is looked for at each call."""
        self._server = await asyncio.start_server(self._connect, HOST, 0)

    async def close(self) -> None:
        """Listen no more and reset what is connected."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            # Asked for now: the stack chooses its ports when it starts, after the line is laid.
            port = int(read_json(self._data.ports_file)[self._name]["port"])
            far_reader, far_writer = await asyncio.open_connection(HOST, port)
        except (OSError, KeyError):
            _reset(writer)
            return
        self._open |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(_carry(reader, far_writer))
                both_ways.create_task(_carry(far_reader, writer))
        except* OSError:
            pass  # one side was reset: the other side is, too
        finally:
            self._open -= {writer, far_writer}
            _reset(writer)
            _reset(far_writer)


@asynccontextmanager
async def open_lines(data: DataDir, names: Iterable[str]) -> AsyncIterator[Mapping[str, Line]]:
    """Lay a line to each of a stack's processes, by name."""
    async with AsyncExitStack() as resources:
        lines = {name: Line(data, name) for name in names}
        for line in lines.values():
            await line.open()
            resources.push_async_callback(line.close)
        yield lines


async def _carry(source: StreamReader, target: StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


def _reset(writer: StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
