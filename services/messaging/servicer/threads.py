"""Calls that open and list threads."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind, current_caller
from services.common.errors import problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.messaging.domain import Engagement, Proposal
from services.messaging.servicer.calls import Calls, Context
from services.messaging.store.listing import Wanted
from services.messaging.use_cases import marking, opening, reading
from services.messaging.use_cases.access import (
    as_hire_workflow,
    as_member,
    as_writer,
    reader_of,
)
from services.messaging.wire import read_kinds, seen_message, thread_message


class ThreadCalls(Calls):
    """The part of MessagingService that opens and lists threads."""

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
        return thread_pb2.OpenProposalThreadResponse(thread=seen_message(thread))

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
        return thread_pb2.GetThreadResponse(thread=seen_message(thread))

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
            reads = reader_of(caller) is not None
            told = "must be false: you have no read marks"
            noted.require(reads or not request.unread_only, "unread_only", told)
        filters = (organisation_id, request.job_id, request.kind, request.unread_only)
        cursor = Cursor.read(
            request.page_size, request.page_token, caller.kind, caller.id, *filters
        )
        wanted = Wanted(reader_of(caller), request.job_id, kinds, request.unread_only)
        page = await reading.list_threads(self._database, caller, organisation_id, wanted, cursor)
        return thread_pb2.ListThreadsResponse(
            threads=[seen_message(seen) for seen in page.items], next_page_token=page.next_token
        )

    async def MarkRead(
        self, request: thread_pb2.MarkReadRequest, context: Context
    ) -> thread_pb2.MarkReadResponse:
        """Note how far the caller has read."""
        reader = as_writer(current_caller())
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
            noted.require(request.sequence > 0, "sequence", "must be that of a message")
        unread = await marking.mark_read(
            self._database, reader, request.thread_id, request.sequence
        )
        return thread_pb2.MarkReadResponse(unread_count=unread)
