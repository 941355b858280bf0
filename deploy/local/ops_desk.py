"""What an operator asks of a running stack: OperationsService, under a token of its key."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.journey_calls import Caller, new_id
from deploy.local.keys import Kind
from deploy.local.stack import mint_token
from deploy.local.state import read_status
from hireflow.hiring.v1 import hire_pb2, operations_pb2, operations_pb2_grpc
from services.common.remote_errors import error_of

Answer = TypeVar("Answer")
_LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class OpsDesk:
    """An operator's calls; each raises StackFailure with the service's own reason and words."""

    stub: "operations_pb2_grpc.OperationsServiceAsyncStub"
    operator: Caller

    async def stuck(self, waits_on: Sequence[str]) -> list[operations_pb2.StuckHire]:
        """List every hire that waits or makes no progress, the longest standing first."""
        parties = [operations_pb2.HireWaitsOn.Value(f"HIRE_WAITS_ON_{each}") for each in waits_on]
        request = operations_pb2.ListStuckHiresRequest(page_size=_LARGEST_PAGE, waits_on=parties)
        found: list[operations_pb2.StuckHire] = []
        while True:
            page = await self._call(self.stub.ListStuckHires, request)
            found += page.hires
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return found

    async def story(self, hire_id: str) -> operations_pb2.GetHireTimelineResponse:
        """Read a hire with its whole story in one message."""
        request = operations_pb2.GetHireTimelineRequest(hire_id=hire_id, page_size=_LARGEST_PAGE)
        whole = await self._call(self.stub.GetHireTimeline, request)
        while whole.next_page_token:
            request.page_token = whole.next_page_token
            page = await self._call(self.stub.GetHireTimeline, request)
            whole.entries.extend(page.entries)
            whole.next_page_token = page.next_page_token
        return whole

    async def retry(self, hire_id: str, reason: str) -> hire_pb2.Hire:
        """Try the step of a blocked hire again."""
        request = operations_pb2.RetryHireStepRequest(
            request_id=new_id(), hire_id=hire_id, reason=reason
        )
        return (await self._call(self.stub.RetryHireStep, request)).hire

    async def skip_thread(self, hire_id: str, reason: str) -> hire_pb2.Hire:
        """Let a paid hire go on without its job thread."""
        request = operations_pb2.SkipHireThreadRequest(
            request_id=new_id(), hire_id=hire_id, reason=reason
        )
        return (await self._call(self.stub.SkipHireThread, request)).hire

    async def refund(self, hire_id: str, reason: str) -> hire_pb2.Hire:
        """Give everything back."""
        request = operations_pb2.RefundHireRequest(
            request_id=new_id(), hire_id=hire_id, reason=reason
        )
        return (await self._call(self.stub.RefundHire, request)).hire

    async def extend(self, hire_id: str, reason: str, by: timedelta) -> hire_pb2.Hire:
        """Give the client so much longer to pay than the present deadline."""
        hire = (await self.story(hire_id)).hire
        if not hire.HasField("wait_deadline"):
            raise StackFailure(f"Hire {hire_id} has no deadline: it waits for no payment.")
        request = operations_pb2.ExtendHireDeadlineRequest(
            request_id=new_id(), hire_id=hire_id, reason=reason
        )
        request.wait_deadline.FromDatetime(hire.wait_deadline.ToDatetime(UTC) + by)
        return (await self._call(self.stub.ExtendHireDeadline, request)).hire

    async def _call(self, method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
        try:
            return await self.operator.call(method, request)
        except grpc.aio.AioRpcError as error:
            told = error_of(error)
            reason = told.reason or told.code.name
            raise StackFailure(f"{reason}: {told.message}") from error


@asynccontextmanager
async def open_desk(data: DataDir) -> AsyncIterator[OpsDesk]:
    """Open the desk of the stack that runs on a data directory.

    Raises:
        StackFailure: none runs, or it runs without hiring.

    """
    status = read_status(data)
    running = {each["name"]: each for each in status.content["processes"] if each["pid"]}
    if not status.running or "hiring" not in running:
        raise StackFailure(f"No hiring service runs on {data.root}: see `hireflow up`.")
    token = mint_token(data, Kind.OPERATOR)
    async with grpc.aio.insecure_channel(running["hiring"]["addresses"]["grpc"]) as channel:
        stub = operations_pb2_grpc.OperationsServiceStub(channel)
        yield OpsDesk(stub, Caller("operator-local", token))
