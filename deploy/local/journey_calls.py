"""The services as a gateway reaches them: a stub of each, and callers with their tokens."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.events.v1 import events_pb2_grpc
from hireflow.hiring.v1 import hire_pb2_grpc, operations_pb2_grpc
from hireflow.jobs.v1 import folder_pb2_grpc, instructions_pb2_grpc, job_pb2_grpc
from hireflow.messaging.v1 import channel_pb2_grpc, thread_pb2_grpc
from hireflow.proposals.v1 import (
    folder_screening_pb2_grpc,
    matching_pb2_grpc,
    proposal_pb2_grpc,
    proposal_view_pb2_grpc,
    screening_pb2_grpc,
)

CALL_SECONDS = 20.0
CATCH_UP_SECONDS = 15.0
Answer = TypeVar("Answer")


class Addresses(Protocol):
    """Where the services answer."""

    @property
    def jobs(self) -> str:
        """Address of the jobs service, host:port."""
        ...

    @property
    def proposals(self) -> str:
        """Address of the proposals service, host:port."""
        ...

    @property
    def contracts(self) -> str:
        """Address of the contracts service, host:port."""
        ...

    @property
    def messaging(self) -> str:
        """Address of the messaging service, host:port."""
        ...

    @property
    def hiring(self) -> str:
        """Address of the hiring service, host:port."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """A stub per service."""

    jobs: "job_pb2_grpc.JobsServiceAsyncStub"
    proposals: "proposal_pb2_grpc.ProposalsServiceAsyncStub"
    screening: "screening_pb2_grpc.ScreeningServiceAsyncStub"
    contracts: "contract_pb2_grpc.ContractsServiceAsyncStub"
    messaging: "thread_pb2_grpc.MessagingServiceAsyncStub"
    hiring: "hire_pb2_grpc.HiringServiceAsyncStub"
    operations: "operations_pb2_grpc.OperationsServiceAsyncStub"
    events: "events_pb2_grpc.EventsServiceAsyncStub"
    """That of the jobs' process; each process answers for its own events."""
    folders: "folder_pb2_grpc.FoldersServiceAsyncStub"
    instructions: "instructions_pb2_grpc.InstructionsServiceAsyncStub"
    view: "proposal_view_pb2_grpc.ProposalViewServiceAsyncStub"
    channels: "channel_pb2_grpc.ChannelsServiceAsyncStub"
    folder_screening: "folder_screening_pb2_grpc.FolderScreeningServiceAsyncStub"
    matching: "matching_pb2_grpc.MatchingServiceAsyncStub"


@asynccontextmanager
async def open_services(addresses: Addresses) -> AsyncIterator[Services]:
    """Open a channel to every service, and close them again."""
    channels = [
        # A server that was away is found again soon, however long it was away.
        grpc.aio.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 2000)])
        for address in (
            addresses.jobs,
            addresses.proposals,
            addresses.contracts,
            addresses.messaging,
            addresses.hiring,
        )
    ]
    jobs, proposals, contracts, messaging, hiring = channels
    try:
        yield Services(
            job_pb2_grpc.JobsServiceStub(jobs),
            proposal_pb2_grpc.ProposalsServiceStub(proposals),
            screening_pb2_grpc.ScreeningServiceStub(proposals),
            contract_pb2_grpc.ContractsServiceStub(contracts),
            thread_pb2_grpc.MessagingServiceStub(messaging),
            hire_pb2_grpc.HiringServiceStub(hiring),
            operations_pb2_grpc.OperationsServiceStub(hiring),
            events_pb2_grpc.EventsServiceStub(jobs),
            folder_pb2_grpc.FoldersServiceStub(jobs),
            instructions_pb2_grpc.InstructionsServiceStub(jobs),
            proposal_view_pb2_grpc.ProposalViewServiceStub(proposals),
            channel_pb2_grpc.ChannelsServiceStub(messaging),
            folder_screening_pb2_grpc.FolderScreeningServiceStub(proposals),
            matching_pb2_grpc.MatchingServiceStub(proposals),
        )
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token."""

    id: str
    token: str

    async def call(
        self,
        method: Callable[..., Awaitable[Answer]],
        request: Message,
        seconds: float = CALL_SECONDS,
    ) -> Answer:
        """Call a unary method under this caller's token; raises grpc.aio.AioRpcError."""
        return await method(request, timeout=seconds, metadata=self.metadata)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a call."""
        return (("authorization", f"Bearer {self.token}"),)

    async def call_when_known(
        self, method: Callable[..., Awaitable[Answer]], request: Message
    ) -> Answer:
        """Call until a fact that travels by event has arrived at the service; bounded."""
        deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        while True:
            try:
                return await self.call(method, request)
            except grpc.aio.AioRpcError as error:
                late = asyncio.get_running_loop().time() > deadline
                if error.code() is not grpc.StatusCode.NOT_FOUND or late:
                    raise
                await asyncio.sleep(0.02)  # between two looks at a read model fed by events


def new_id() -> str:
    """Make a request id."""
    return str(uuid.uuid4())
