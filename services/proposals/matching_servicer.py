"""MatchingService over gRPC: messages to arguments, use case, answer to message."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.proposals.v1 import matching_pb2 as pb
from hireflow.proposals.v1 import matching_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.paging import Cursor
from services.proposals.domain import NOT_TOLD, Opening
from services.proposals.use_cases import matching
from services.proposals.use_cases.access import as_trainer
from services.proposals.wire import match_message, timestamp

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class MatchingServicer(matching_pb2_grpc.MatchingServiceServicer):
    """Answers the calls of MatchingService."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListMatchingJobs(
        self, request: pb.ListMatchingJobsRequest, context: Context
    ) -> pb.ListMatchingJobsResponse:
        """List the open jobs that the calling trainer may find, best match first."""
        trainer = as_trainer(current_caller())
        scope = (trainer.kind, trainer.id, "matching")
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await matching.list_matching_jobs(self._database, trainer, cursor)
        return pb.ListMatchingJobsResponse(
            jobs=[_message(opening) for opening in page.items], next_page_token=page.next_token
        )


def _message(opening: Opening) -> pb.MatchingJob:
    job, told = opening.job, opening.job.publish_time != NOT_TOLD
    return pb.MatchingJob(
        job_id=job.job_id,
        match=match_message(opening.match),
        invited=opening.invited,
        proposed=opening.proposed,
        publish_time=timestamp(job.publish_time) if told else None,
    )
