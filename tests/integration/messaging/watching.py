"""Watchers of threads, as tests see what they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hireflow.messaging.v1 import thread_pb2, thread_pb2_grpc
from tests.integration.messaging.world import Metadata

SECONDS = 90.0


@dataclass
class Watcher:
    """What one stream was told so far."""

    stub: "thread_pb2_grpc.MessagingServiceAsyncStub"  # a name for type checkers only
    caller: Metadata
    thread_id: str
    told: list[thread_pb2.WatchThreadResponse] = field(default_factory=list)
    token: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Listen until the stream ends, from where this watcher is."""
        request = thread_pb2.WatchThreadRequest(thread_id=self.thread_id, resume_token=self.token)
        async for each in self.stub.WatchThread(request, metadata=self.caller):
            self.token = each.resume_token
            if each.WhichOneof("change"):
                self.told.append(each)
            self.arrived.set()

    async def until(self, count: int, seconds: float = SECONDS) -> list[tuple[str, int]]:
        """What it was told, as soon as it is so much: kinds and messages' places."""
        async with asyncio.timeout(seconds):
            while len(self.told) < count or not self.token:
                self.arrived.clear()
                await self.arrived.wait()
        return self.heard

    @property
    def heard(self) -> list[tuple[str, int]]:
        """What it was told so far."""
        return [_short(each) for each in self.told]


@asynccontextmanager
async def watching(
    stub: "thread_pb2_grpc.MessagingServiceAsyncStub",
    caller: Metadata,
    thread_id: str,
    token: str = "",
) -> AsyncIterator[Watcher]:
    """A watcher that listens from the beginning of the block to its end."""
    watcher = Watcher(stub, caller, thread_id, token=token)
    listening = asyncio.create_task(watcher.listen())
    try:
        await asyncio.wait_for(_begun(watcher, listening, token), SECONDS)
        yield watcher
    finally:
        listening.cancel()
        # A cancelled stream may end with the status that says so.
        await asyncio.gather(listening, return_exceptions=True)


async def _begun(watcher: Watcher, listening: "asyncio.Task[None]", token: str) -> None:
    arrived = asyncio.create_task(watcher.arrived.wait())
    await asyncio.wait([arrived, listening], return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        arrived.cancel()
        await listening


def _short(told: thread_pb2.WatchThreadResponse) -> tuple[str, int]:
    kind = told.WhichOneof("change") or ""
    return kind, getattr(getattr(told, kind), "sequence", 0)
