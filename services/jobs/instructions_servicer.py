"""InstructionsService over gRPC: messages to arguments, use case, answer to message."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.jobs.v1 import instructions_pb2, instructions_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.jobs.store.instructions import Instructions
from services.jobs.use_cases import instructing
from services.jobs.use_cases.access import as_instructions_reader, as_member
from services.jobs.use_cases.lifecycle import Change
from services.jobs.wire import timestamp

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
_TEXT_LIMIT = 100_000


class InstructionsServicer(instructions_pb2_grpc.InstructionsServiceServicer):
    """Answers the calls of InstructionsService. Time comes from outside."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def WriteInstructions(
        self, request: instructions_pb2.WriteInstructionsRequest, context: Context
    ) -> instructions_pb2.WriteInstructionsResponse:
        """Write the next version of a job's instructions."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
            noted.require(
                len(request.text) <= _TEXT_LIMIT, "text", f"is longer than {_TEXT_LIMIT} characters"
            )
            noted.require("\x00" not in request.text, "text", "contains a NUL character")
            noted.require(request.latest_version >= 0, "latest_version", "must not be negative")
        change = Change(member, Request.of(request), request.job_id, "", self._clock())
        written = await instructing.write_instructions(
            self._database, change, request.text, request.latest_version
        )
        return instructions_pb2.WriteInstructionsResponse(instructions=_message(written))

    async def GetInstructions(
        self, request: instructions_pb2.GetInstructionsRequest, context: Context
    ) -> instructions_pb2.GetInstructionsResponse:
        """Read one version, or the latest."""
        caller = as_instructions_reader(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
            noted.require(request.version >= 0, "version", "must not be negative")
        found = await instructing.get_instructions(
            self._database, caller, request.job_id, request.version
        )
        return instructions_pb2.GetInstructionsResponse(instructions=_message(found))

    async def ListInstructionsVersions(
        self, request: instructions_pb2.ListInstructionsVersionsRequest, context: Context
    ) -> instructions_pb2.ListInstructionsVersionsResponse:
        """List the versions, latest first, without their text."""
        caller = as_instructions_reader(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
        scope = (caller.kind, caller.id, request.job_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await instructing.list_versions(self._database, caller, request.job_id, cursor)
        return instructions_pb2.ListInstructionsVersionsResponse(
            versions=[_message(each) for each in page.items], next_page_token=page.next_token
        )


def _message(written: Instructions) -> instructions_pb2.Instructions:
    return instructions_pb2.Instructions(
        job_id=written.job_id,
        version=written.version,
        text=written.text,
        author_id=written.author_id,
        create_time=timestamp(written.create_time),
    )
