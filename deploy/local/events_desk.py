"""What an operator asks of a running stack's events: EventsService of each process that has it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from deploy.local.applications import SERVICES
from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.journey_calls import Caller, new_id
from deploy.local.keys import Kind
from deploy.local.stack import mint_token
from deploy.local.state import read_status
from hireflow.events.v1 import events_pb2, events_pb2_grpc
from services.common.remote_errors import error_of

Answer = TypeVar("Answer")
_LARGEST_PAGE = 200
_PROCESSES = (*SERVICES, "hiring")
"""Each has one schema, of its own name, and names its consumers `<schema>-<source>`."""


@dataclass(frozen=True, slots=True)
class EventsDesk:
    """An operator's calls; each raises StackFailure with the service's own reason and words."""

    stubs: Mapping[str, "events_pb2_grpc.EventsServiceAsyncStub"]
    operator: Caller

    async def dead_letters(self, consumer: str) -> list[events_pb2.DeadLetter]:
        """List what a consumer gave up, or all of them if it is empty."""
        asked = [self._process(consumer.partition("-")[0])] if consumer else self.stubs.values()
        found: list[events_pb2.DeadLetter] = []
        for stub in asked:
            request = events_pb2.ListDeadLettersRequest(page_size=_LARGEST_PAGE, consumer=consumer)
            while True:
                page = await self._call(stub.ListDeadLetters, request)
                found += page.dead_letters
                request.page_token = page.next_page_token
                if not page.next_page_token:
                    break
        return found

    async def replay(self, consumer: str, event_id: str, reason: str) -> int:
        """Try one or all of a consumer's dead letters again; answer how many."""
        request = events_pb2.ReplayDeadLettersRequest(
            request_id=new_id(), consumer=consumer, event_id=event_id, reason=reason
        )
        stub = self._process(consumer.partition("-")[0])
        return (await self._call(stub.ReplayDeadLetters, request)).replayed

    async def republish(
        self, schema: str, after_position: int, since: datetime | None, reason: str
    ) -> events_pb2.RepublishEventsResponse:
        """Send events of a schema to the stream again; `since` is UTC if it names no zone."""
        request = events_pb2.RepublishEventsRequest(
            request_id=new_id(), schema=schema, after_position=after_position, reason=reason
        )
        if since is not None:
            request.since.FromDatetime(since if since.tzinfo else since.replace(tzinfo=UTC))
        return await self._call(self._process(schema).RepublishEvents, request)

    async def rebuild(self, consumer: str, reason: str) -> int:
        """Empty a consumer's read model and have all events applied again; answer of how many."""
        request = events_pb2.RebuildReadModelRequest(
            request_id=new_id(), consumer=consumer, reason=reason
        )
        stub = self._process(consumer.partition("-")[0])
        return (await self._call(stub.RebuildReadModel, request)).aggregates

    def _process(self, name: str) -> "events_pb2_grpc.EventsServiceAsyncStub":
        try:
            return self.stubs[name]
        except KeyError:
            running = ", ".join(self.stubs)
            raise StackFailure(f"No process of {name} runs; there are {running}.") from None

    async def _call(self, method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
        try:
            return await self.operator.call(method, request)
        except grpc.aio.AioRpcError as error:
            told = error_of(error)
            reason = told.reason or told.code.name
            raise StackFailure(f"{reason}: {told.message}") from error


@asynccontextmanager
async def open_desk(data: DataDir) -> AsyncIterator[EventsDesk]:
    """Open the desk of the stack that runs on a data directory.

    Raises:
        StackFailure: none runs, or none of its processes has events.

    """
    status = read_status(data)
    running = {each["name"]: each for each in status.content["processes"] if each["pid"]}
    names = [name for name in _PROCESSES if name in running]
    if not status.running or not names:
        raise StackFailure(f"No service runs on {data.root}: see `hireflow up`.")
    token = mint_token(data, Kind.OPERATOR)
    async with AsyncExitStack() as channels:
        stubs = {}
        for name in names:
            channel = grpc.aio.insecure_channel(running[name]["addresses"]["grpc"])
            await channels.enter_async_context(channel)
            stubs[name] = events_pb2_grpc.EventsServiceStub(channel)
        yield EventsDesk(stubs, Caller("operator-local", token))
