"""WatchThread in a process of its own: through its death, and with a crowd in it."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from deploy.local.forking import ForkServer
from hireflow.messaging.v1 import thread_pb2_grpc
from services.common.auth import Kind
from services.common.settings import Settings
from tests.integration.messaging.apart import apart, channels
from tests.integration.messaging.watching import Watcher
from tests.integration.messaging.world import Parties, World
from tests.refusals import refusal

CROWD, CALLERS, THREADS, CONNECTIONS = 2_000, 40, 20, 4
# gRPC cancels what a busy server has not begun to answer after thirty seconds.
WAVE = 250
CROWD_SECONDS = 200.0


async def test_a_watcher_resumes_after_the_process_was_killed_without_gap_or_repeat(
    world: World, parties: Parties, settings: Settings, tmp_path: Path, forks: ForkServer
) -> None:
    thread_id = (await world.open_job(parties.job_thread())).thread_id
    async with (
        apart(settings, tmp_path / "log", forks) as process,
        channels(process.address, 1) as opened,
    ):
        stub = thread_pb2_grpc.MessagingServiceStub(opened[0])
        watcher = Watcher(stub, parties.trainer, thread_id)
        listening = asyncio.create_task(watcher.listen())
        await watcher.until(0)
        writing = asyncio.create_task(_write(world, parties, thread_id, 50))
        await watcher.until(5)
        await process.kill()
        assert (await refusal(listening)).code is grpc.StatusCode.UNAVAILABLE
        assert len(watcher.told) < 50, "it was killed too late to interrupt anything"
        await writing
        await process.start()
        again = asyncio.create_task(_listen_until_served(watcher))
        await watcher.until(50)
        await _write(world, parties, thread_id, 5)
        heard = await watcher.until(55)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
    assert heard == [("sent", sequence) for sequence in range(2, 57)]


async def _write(world: World, parties: Parties, thread_id: str, count: int) -> None:
    for _ in range(count):
        await world.send(parties.employer, thread_id, "x")


async def _listen_until_served(watcher: Watcher) -> None:
    """Resume, as any client does, as often as the connection is refused."""
    while True:
        try:
            await watcher.listen()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
        await asyncio.sleep(0.1)  # between two attempts


async def _begin(watchers: list[Watcher]) -> list["asyncio.Task[None]"]:
    """Let some listen, as soon as all do. A stream that is refused fails the test by its reason."""
    listening = [asyncio.create_task(watcher.listen()) for watcher in watchers]
    begun = asyncio.gather(*(watcher.until(0, CROWD_SECONDS) for watcher in watchers))
    first: list[asyncio.Future[Any]] = [begun, *listening]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    for stream in listening:
        if stream.done():
            stream.result()
    await begun
    return listening


@pytest.mark.timeout(300)
async def test_thousands_watch_in_one_process_on_few_connections_and_all_are_told(
    world: World, parties: Parties, settings: Settings, tmp_path: Path, forks: ForkServer
) -> None:
    threads = [(await world.open_job(parties.job_thread())).thread_id for _ in range(THREADS)]
    organisation_id = parties.proposal.organisation_id
    callers = [world.by(Kind.EMPLOYER, organisation_id) for _ in range(CALLERS)]
    async with (
        apart(settings, tmp_path / "log", forks) as process,
        channels(process.address, CONNECTIONS) as opened,
    ):
        memory = process.memory()
        stubs = [thread_pb2_grpc.MessagingServiceStub(each) for each in opened]
        # Of each caller fifty, over all threads.
        crowd = [
            Watcher(stubs[number % CONNECTIONS], callers[number % CALLERS], threads[number // 100])
            for number in range(CROWD)
        ]
        listening: list[asyncio.Task[None]] = []
        for place in range(0, CROWD, WAVE):
            listening += await _begin(crowd[place : place + WAVE])
        assert not any(stream.done() for stream in listening)
        for text in ("One", "Two"):
            await asyncio.gather(*(world.send(parties.employer, each, text) for each in threads))
        heard = await asyncio.gather(*(watcher.until(2) for watcher in crowd))
        connections = process.database_connections()
        each = (process.memory() - memory) / CROWD
        for stream in listening:
            stream.cancel()
        # A cancelled stream may end with the status that says so.
        await asyncio.gather(*listening, return_exceptions=True)
    assert all(told == [("sent", 2), ("sent", 3)] for told in heard)
    # The pool's ten, and the one that listens for all.
    assert connections <= 11
    assert each < 200 * 1024, f"a watcher costs {each:,.0f} bytes"
