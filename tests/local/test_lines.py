"""A line carries both ways, finds a process that came later, and cuts with a reset."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from pathlib import Path

import pytest

from deploy.local.chaos.lines import Line, open_lines
from deploy.local.data_dir import DataDir
from deploy.local.ports import HOST


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    while said := await reader.read(100):
        writer.write(said)
    writer.close()


async def serving(folder: Path) -> tuple[asyncio.Server, DataDir]:
    """An echo, known to the data directory under the name of NATS."""
    server = await asyncio.start_server(echo, HOST, 0)
    data = DataDir.at(folder)
    port = server.sockets[0].getsockname()[1]
    data.ports_file.write_text(json.dumps({"nats": {"port": port, "given": False}}))
    return server, data


async def dial(line: Line) -> tuple[StreamReader, StreamWriter]:
    async with asyncio.timeout(60):
        return await asyncio.open_connection(HOST, line.port)


async def test_a_line_carries_both_ways_until_either_side_has_said_all(folder: Path) -> None:
    server, data = await serving(folder)
    async with server, open_lines(data, ["nats"]) as lines, asyncio.timeout(60):
        reader, writer = await dial(lines["nats"])
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


async def test_a_cut_resets_every_connection_and_the_next_call_goes_through(folder: Path) -> None:
    server, data = await serving(folder)
    async with server, open_lines(data, ["nats"]) as lines, asyncio.timeout(60):
        for _ in range(2):
            reader, writer = await dial(lines["nats"])
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            assert lines["nats"].cut() == 1
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()


async def test_a_line_to_a_process_that_does_not_run_resets(folder: Path) -> None:
    data = DataDir.at(folder)
    async with open_lines(data, ["nats"]) as lines, asyncio.timeout(60):
        reader, writer = await dial(lines["nats"])
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
