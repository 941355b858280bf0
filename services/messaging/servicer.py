"""MessagingService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.messaging.v1 import thread_pb2, thread_pb2_grpc
from services.common.auth import Kind, current_caller
from services.common.database import Database
from services.common.errors import problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.messaging.domain import Engagement, Proposal, check_text
from services.messaging.use_cases import opening, reading, writing
from services.messaging.use_cases.access import as_hire_workflow, as_member, as_writer
from services.messaging.wire import message_message, read_kinds, thread_message

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class MessagingServicer(thread_pb2_grpc.MessagingServiceServicer):
    """Answers the calls of MessagingService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def OpenProposalThread(
        self, request: thread_pb2.OpenProposalThreadRequest, context: Context
    ) -> thread_pb2.OpenProposalThreadResponse:
        """Open the thread of a proposal."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("proposal_id", request.proposal_id)
        thread = await opening.open_proposal_thread(
            self._database,
            member,
            Request.of(request),
            proposal_id=request.proposal_id,
            thread_id=self._new_id(),
            now=self._clock(),
        )
        return thread_pb2.OpenProposalThreadResponse(thread=thread_message(thread))

    async def OpenJobThread(
        self, request: thread_pb2.OpenJobThreadRequest, context: Context
    ) -> thread_pb2.OpenJobThreadResponse:
        """Open the job thread of a contract."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            noted.require_id("organisation_id", request.organisation_id)
            noted.require_id("job_id", request.job_id)
            noted.require_id("proposal_id", request.proposal_id)
            noted.require_id("contract_id", request.contract_id)
            noted.require_id("trainer_id", request.trainer_id)
        proposal = Proposal(
            proposal_id=request.proposal_id,
            job_id=request.job_id,
            organisation_id=request.organisation_id,
            trainer_id=request.trainer_id,
        )
        thread = await opening.open_job_thread(
            self._database,
            caller,
            Request.of(request),
            Engagement(proposal, request.contract_id),
            thread_id=request.thread_id,
            message_id=self._new_id(),
            now=self._clock(),
        )
        return thread_pb2.OpenJobThreadResponse(thread=thread_message(thread))

    async def GetThread(
        self, request: thread_pb2.GetThreadRequest, context: Context
    ) -> thread_pb2.GetThreadResponse:
        """Read one thread."""
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
        thread = await reading.get_thread(self._database, current_caller(), request.thread_id)
        return thread_pb2.GetThreadResponse(thread=thread_message(thread))

    async def ListThreads(
        self, request: thread_pb2.ListThreadsRequest, context: Context
    ) -> thread_pb2.ListThreadsResponse:
        """List the caller's threads, last message first."""
        caller = current_caller()
        organisation_id = request.organisation_id or caller.organisation_id or ""
        with problems() as noted:
            if caller.kind is Kind.TRAINER:
                own = not organisation_id
                noted.require(own, "organisation_id", "must be empty: a trainer lists its own")
            else:
                noted.require_id("organisation_id", organisation_id)
            if request.job_id:
                noted.require_id("job_id", request.job_id)
            kinds = read_kinds(request.kind, noted)
        scope = (caller.kind, caller.id, organisation_id, request.job_id, request.kind)
        page = await reading.list_threads(
            self._database,
            caller,
            organisation_id=organisation_id,
            job_id=request.job_id,
            kinds=kinds,
            cursor=Cursor.read(request.page_size, request.page_token, *scope),
        )
        return thread_pb2.ListThreadsResponse(
            threads=[thread_message(thread) for thread in page.items],
            next_page_token=page.next_token,
        )

    async def SendMessage(
        self, request: thread_pb2.SendMessageRequest, context: Context
    ) -> thread_pb2.SendMessageResponse:
        """Write a message."""
        writer = as_writer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            check_text(request.text, noted)
        message = await writing.send_message(
            self._database,
            writer,
            Request.of(request),
            thread_id=request.thread_id,
            message_id=self._new_id(),
            text=request.text,
            now=self._clock(),
        )
        return thread_pb2.SendMessageResponse(message=message_message(message))

    async def ListMessages(
        self, request: thread_pb2.ListMessagesRequest, context: Context
    ) -> thread_pb2.ListMessagesResponse:
        """List a thread's messages, newest first."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
        scope = (caller.kind, caller.id, request.thread_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_messages(self._database, caller, request.thread_id, cursor)
        return thread_pb2.ListMessagesResponse(
            messages=[message_message(message) for message in page.items],
            next_page_token=page.next_token,
        )
