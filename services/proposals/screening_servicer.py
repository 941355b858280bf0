"""ScreeningService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.proposals.v1 import screening_pb2 as pb
from hireflow.proposals.v1 import screening_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import problems
from services.common.idempotency import Request
from services.proposals import screening_wire as wire
from services.proposals.use_cases import screening
from services.proposals.use_cases.access import as_interviewer, as_reader, as_trainer

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class ScreeningServicer(screening_pb2_grpc.ScreeningServiceServicer):
    """Answers the calls of ScreeningService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def StartScreening(
        self, request: pb.StartScreeningRequest, context: Context
    ) -> pb.StartScreeningResponse:
        """Begin the calling trainer's screening on a job."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
        own = await screening.start_screening(
            self._database,
            trainer,
            Request.of(request),
            screening_id=self._new_id(),
            job_id=request.job_id,
            now=self._clock(),
        )
        return pb.StartScreeningResponse(screening=wire.own_screening_message(own))

    async def AnswerScreening(
        self, request: pb.AnswerScreeningRequest, context: Context
    ) -> pb.AnswerScreeningResponse:
        """Save answers, some or all."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("screening_id", request.screening_id)
            given = wire.read_answers(request.answers, noted)
        own = await screening.answer_screening(
            self._database,
            trainer,
            Request.of(request),
            screening_id=request.screening_id,
            given=given,
            final=request.final,
            now=self._clock(),
        )
        return pb.AnswerScreeningResponse(screening=wire.own_screening_message(own))

    async def GetOwnScreening(
        self, request: pb.GetOwnScreeningRequest, context: Context
    ) -> pb.GetOwnScreeningResponse:
        """Read the calling trainer's own screening on a job."""
        trainer = as_trainer(current_caller())
        with problems() as noted:
            noted.require_id("job_id", request.job_id)
        own = await screening.get_own_screening(self._database, trainer, request.job_id)
        return pb.GetOwnScreeningResponse(screening=wire.own_screening_message(own))

    async def RecordInterview(
        self, request: pb.RecordInterviewRequest, context: Context
    ) -> pb.RecordInterviewResponse:
        """Keep what an interview found."""
        interviewer = as_interviewer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("screening_id", request.screening_id)
            interview = wire.read_interview(request.interview, noted)
            noted.require(request.plan_version >= 0, "plan_version", "must not be negative")
        recorded = await screening.record_interview(
            self._database,
            interviewer,
            Request.of(request),
            screening_id=request.screening_id,
            interview=interview,
            plan_version=request.plan_version,
            now=self._clock(),
        )
        return pb.RecordInterviewResponse(complete=recorded.complete)

    async def GetScreening(
        self, request: pb.GetScreeningRequest, context: Context
    ) -> pb.GetScreeningResponse:
        """Read a screening as its employer sees it."""
        reader = as_reader(current_caller())
        with problems() as noted:
            noted.require_id("screening_id", request.screening_id)
        found = await screening.get_screening(self._database, reader, request.screening_id)
        return pb.GetScreeningResponse(screening=wire.screening_message(found))
