"""Calls that write, change and list messages."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Sequence

from hireflow.common.v1.error_reason_pb2 import ErrorReason
from hireflow.messaging.v1 import thread_pb2
from services.common.auth import current_caller
from services.common.errors import NotFound, Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.messaging.domain import check_content, check_kept, check_text
from services.messaging.servicer.calls import Calls, Context
from services.messaging.use_cases import asking, reading, writing
from services.messaging.use_cases.access import as_member, as_reviewer, as_writer
from services.messaging.wire import (
    message_message,
    read_content,
    read_oldest_first,
    seen_message,
    version_message,
)

# A gRPC client takes four MiB; the threads and what stands for contact details need some of it.
_ANSWER_LIMIT = 3_200_000


class MessageCalls(Calls):
    """The part of MessagingService that writes, changes and lists messages."""

    async def SendMessage(
        self, request: thread_pb2.SendMessageRequest, context: Context
    ) -> thread_pb2.SendMessageResponse:
        """Write a message."""
        writer = as_writer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            content = read_content(request.text, request.attachments)
            check_content(content, noted)
        message = await writing.send_message(
            self._database,
            writer,
            Request.of(request),
            thread_id=request.thread_id,
            message_id=self._new_id(),
            content=content,
            file_hosts=self._file_hosts,
            now=self._clock(),
        )
        return thread_pb2.SendMessageResponse(message=message_message(message))

    async def ListMessages(
        self, request: thread_pb2.ListMessagesRequest, context: Context
    ) -> thread_pb2.ListMessagesResponse:
        """List a thread's messages, in either direction."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
            oldest_first = read_oldest_first(request.order, noted)
            begins = request.from_sequence >= 0
            noted.require(begins, "from_sequence", "must not be negative")
        list_of = (request.thread_id, oldest_first, request.from_sequence)
        scope = (caller.kind, caller.id, *list_of)
        page = await reading.list_messages(
            self._database,
            caller,
            request.thread_id,
            Cursor.read(request.page_size, request.page_token, *scope),
            oldest_first=oldest_first,
            beginning=request.from_sequence,
        )
        return thread_pb2.ListMessagesResponse(
            messages=[message_message(message) for message in page.items],
            next_page_token=page.next_token,
        )

    async def AskCandidates(
        self, request: thread_pb2.AskCandidatesRequest, context: Context
    ) -> thread_pb2.AskCandidatesResponse:
        """Write one message in the threads of many proposals."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            _check_proposals(request.proposal_ids, noted)
            _check_size(request, noted)
            content = read_content(request.text, request.attachments)
            check_content(content, noted)
            check_kept(content.attachments, self._file_hosts, noted)
        questions = [
            asking.Question(proposal_id, self._new_id(), self._new_id())
            for proposal_id in request.proposal_ids
        ]
        asked = await asking.ask_candidates(
            self._database,
            member,
            Request.of(request),
            questions,
            content,
            file_hosts=self._file_hosts,
            now=self._clock(),
        )
        return thread_pb2.AskCandidatesResponse(results=[_asked_message(each) for each in asked])

    async def EditMessage(
        self, request: thread_pb2.EditMessageRequest, context: Context
    ) -> thread_pb2.EditMessageResponse:
        """Reword a message."""
        writer = as_writer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            noted.require_id("message_id", request.message_id)
            check_text(request.text, noted)
        message = await writing.edit_message(
            self._database,
            writer,
            Request.of(request),
            thread_id=request.thread_id,
            message_id=request.message_id,
            text=request.text,
            now=self._clock(),
        )
        return thread_pb2.EditMessageResponse(message=message_message(message))

    async def DeleteMessage(
        self, request: thread_pb2.DeleteMessageRequest, context: Context
    ) -> thread_pb2.DeleteMessageResponse:
        """Take a message back."""
        writer = as_writer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            noted.require_id("message_id", request.message_id)
        message = await writing.delete_message(
            self._database,
            writer,
            Request.of(request),
            thread_id=request.thread_id,
            message_id=request.message_id,
            now=self._clock(),
        )
        return thread_pb2.DeleteMessageResponse(message=message_message(message))

    async def ListMessageVersions(
        self, request: thread_pb2.ListMessageVersionsRequest, context: Context
    ) -> thread_pb2.ListMessageVersionsResponse:
        """List what a message said before it was edited."""
        caller = as_reviewer(current_caller())
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
            noted.require_id("message_id", request.message_id)
        scope = (caller.kind, caller.id, request.thread_id, request.message_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_versions(
            self._database, caller, request.thread_id, request.message_id, cursor
        )
        return thread_pb2.ListMessageVersionsResponse(
            versions=[version_message(version) for version in page.items],
            next_page_token=page.next_token,
        )


def _check_proposals(proposal_ids: Sequence[str], noted: Problems) -> None:
    limit = asking.CANDIDATES_LIMIT
    noted.require(0 < len(proposal_ids) <= limit, "proposal_ids", f"must be 1 to {limit}")
    seen: set[str] = set()
    for place, proposal_id in enumerate(proposal_ids[:limit]):
        field = f"proposal_ids[{place}]"
        noted.require_id(field, proposal_id)
        noted.require(proposal_id not in seen, field, "is named before")
        seen.add(proposal_id)


def _check_size(request: thread_pb2.AskCandidatesRequest, noted: Problems) -> None:
    """Note more proposals than an answer that repeats the message for each has room for."""
    size = len(request.text.encode()) + sum(each.ByteSize() for each in request.attachments)
    most = _ANSWER_LIMIT // max(size, 1)
    told = f"must be at most {most} for so long a message"
    noted.require(len(request.proposal_ids) <= most, "proposal_ids", told)


def _asked_message(asked: asking.Asked) -> thread_pb2.AskResult:
    if isinstance(asked.outcome, NotFound):
        return thread_pb2.AskResult(
            proposal_id=asked.proposal_id,
            error_reason=ErrorReason.Value(f"ERROR_REASON_{asked.outcome.reason}"),
            error_message=asked.outcome.message,
        )
    thread, message = asked.outcome
    return thread_pb2.AskResult(
        proposal_id=asked.proposal_id,
        thread=seen_message(thread),
        message=message_message(message),
    )
