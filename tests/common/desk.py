"""A process that relays and consumes, on a NATS of its own, and an operator before it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import grpc.aio
from pydantic import SecretStr

from hireflow.events.v1 import events_pb2, events_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.bus import EVENTS, Bus
from services.common.database import Database
from services.common.inbox import Subscription
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS
from tests.common.events import UPDATED, Hearing
from tests.common.toy import toy
from tests.waiting import until

CONSUMER = "toy-things"
OPERATOR = Principal(Kind.OPERATOR, "olga")


@dataclass(frozen=True)
class Desk:
    """What an operator asks of the process, and what the process really has."""

    process: Process
    hearing: Hearing
    stub: "events_pb2_grpc.EventsServiceAsyncStub"
    metadata: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def database(self) -> Database:
        return self.process.resources.database

    @property
    def bus(self) -> Bus:
        return self.process.resources.bus

    async def dead_letters(self, page_size: int = 0) -> list[events_pb2.DeadLetter]:
        found: list[events_pb2.DeadLetter] = []
        request = events_pb2.ListDeadLettersRequest(page_size=page_size)
        while True:
            page = await self.stub.ListDeadLetters(request, metadata=self.metadata)
            assert len(page.dead_letters) <= (page_size or 50)
            found += page.dead_letters
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return found

    async def until_dead(self, number: int) -> list[events_pb2.DeadLetter]:
        async def are_there() -> bool:
            return len(await self.dead_letters()) == number

        await until(are_there)
        return await self.dead_letters()

    async def replay(self, event_id: str = "", request_id: str = "") -> int:
        request = events_pb2.ReplayDeadLettersRequest(
            request_id=request_id or uuid4().hex,
            consumer=CONSUMER,
            event_id=event_id,
            reason="mended",
        )
        return (await self.stub.ReplayDeadLetters(request, metadata=self.metadata)).replayed

    async def republish(self, after_position: int = 0) -> events_pb2.RepublishEventsResponse:
        request = events_pb2.RepublishEventsRequest(
            request_id=uuid4().hex, schema="toy", after_position=after_position, reason="purged"
        )
        return await self.stub.RepublishEvents(request, metadata=self.metadata)

    async def rebuild(self, request_id: str = "") -> int:
        request = events_pb2.RebuildReadModelRequest(
            request_id=request_id or uuid4().hex, consumer=CONSUMER, reason="spoiled"
        )
        return (await self.stub.RebuildReadModel(request, metadata=self.metadata)).aggregates

    async def stored(self) -> list[tuple[str, int]]:
        """Aggregate and version of every event in the stream, in its order."""
        jetstream = await self.bus.jetstream()
        state = (await jetstream.stream_info(EVENTS)).state
        found = []
        for sequence in range(max(1, state.first_seq), state.last_seq + 1):
            told = (await jetstream.get_msg(EVENTS, seq=sequence)).headers or {}
            found.append((told["ce-subject"], int(told["ce-aggregateversion"])))
        return found


@asynccontextmanager
async def open_desk(settings: Settings, token: Callable[[Principal], str]) -> AsyncIterator[Desk]:
    """Run the toy with a consumer that hears everything, and let an operator in."""
    await migrate(settings, "toy", MIGRATIONS)
    hearing = Hearing("")
    heard = Subscription(
        CONSUMER,
        ("hireflow.jobs.v1.job.*",),
        {UPDATED: hearing.hear},
        read_model=("heard",),
        retry_delays=(0.01, 0.02),
    )
    metadata = (("authorization", f"Bearer {token(OPERATOR)}"),)
    async with running(settings, "toy", [toy(subscriptions=(heard,))]) as process:
        await process.ready()
        async with grpc.aio.insecure_channel(process.address) as channel:
            yield Desk(process, hearing, events_pb2_grpc.EventsServiceStub(channel), metadata)


def own(settings: Settings, database_url: str, nats_url: str, **more: object) -> Settings:
    """The session's settings, and so its keys, with a database and a NATS of its own."""
    servers = {"database_url": SecretStr(database_url), "nats_url": SecretStr(nats_url)}
    return settings.model_copy(update={**servers, **more})
