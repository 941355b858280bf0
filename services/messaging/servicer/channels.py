"""ChannelsService over gRPC."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import Callable, Sequence
from datetime import datetime

from hireflow.messaging.v1 import channel_pb2, channel_pb2_grpc
from services.common.auth import current_caller
from services.common.database import Database
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.messaging.servicer.calls import Context
from services.messaging.use_cases import channels
from services.messaging.use_cases.access import as_member
from services.messaging.wire import member_message, seen_message

NAME_LIMIT, MEMBER_LIMIT = 100, 100
NOT_HIRED = "the trainer has no active contract on the job: hire first, then add"


class ChannelsServicer(channel_pb2_grpc.ChannelsServiceServicer):
    """Answers the calls of ChannelsService. Time and new ids come from outside."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def CreateChannel(
        self, request: channel_pb2.CreateChannelRequest, context: Context
    ) -> channel_pb2.CreateChannelResponse:
        """Make a channel on a job."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("job_id", request.job_id)
            _check_name(request.name, noted)
        thread = await channels.create_channel(
            self._database,
            member,
            Request.of(request),
            thread_id=self._new_id(),
            job_id=request.job_id,
            name=request.name.strip(),
            now=self._clock(),
        )
        return channel_pb2.CreateChannelResponse(thread=seen_message(thread))

    async def RenameChannel(
        self, request: channel_pb2.RenameChannelRequest, context: Context
    ) -> channel_pb2.RenameChannelResponse:
        """Give a channel another name."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            _check_name(request.name, noted)
        thread = await channels.rename_channel(
            self._database,
            member,
            Request.of(request),
            thread_id=request.thread_id,
            name=request.name.strip(),
            now=self._clock(),
        )
        return channel_pb2.RenameChannelResponse(thread=seen_message(thread))

    async def AddChannelMembers(
        self, request: channel_pb2.AddChannelMembersRequest, context: Context
    ) -> channel_pb2.AddChannelMembersResponse:
        """Take trainers in."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            _check_trainers(request.trainer_ids, noted)
        added = await channels.add_members(
            self._database,
            member,
            Request.of(request),
            thread_id=request.thread_id,
            trainer_ids=request.trainer_ids,
            now=self._clock(),
        )
        results = [
            channel_pb2.AddMemberResult(
                trainer_id=each, error_reason="NOT_HIRED", error_message=NOT_HIRED
            )
            if each in added.not_hired
            else channel_pb2.AddMemberResult(trainer_id=each)
            for each in request.trainer_ids
        ]
        return channel_pb2.AddChannelMembersResponse(results=results)

    async def RemoveChannelMembers(
        self, request: channel_pb2.RemoveChannelMembersRequest, context: Context
    ) -> channel_pb2.RemoveChannelMembersResponse:
        """Take trainers out."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("thread_id", request.thread_id)
            _check_trainers(request.trainer_ids, noted)
        await channels.remove_members(
            self._database,
            member,
            Request.of(request),
            thread_id=request.thread_id,
            trainer_ids=request.trainer_ids,
            now=self._clock(),
        )
        return channel_pb2.RemoveChannelMembersResponse()

    async def ListChannelMembers(
        self, request: channel_pb2.ListChannelMembersRequest, context: Context
    ) -> channel_pb2.ListChannelMembersResponse:
        """List the trainers in a channel."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
        scope = (caller.kind, caller.id, request.thread_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await channels.list_members(self._database, caller, request.thread_id, cursor)
        return channel_pb2.ListChannelMembersResponse(
            members=[member_message(each) for each in page.items],
            next_page_token=page.next_token,
        )


def _check_name(name: str, noted: Problems) -> None:
    told = f"must have 1 to {NAME_LIMIT} printable characters"
    noted.require(0 < len(name.strip()) <= NAME_LIMIT and name.isprintable(), "name", told)


def _check_trainers(trainer_ids: Sequence[str], noted: Problems) -> None:
    some = 0 < len(trainer_ids) <= MEMBER_LIMIT
    noted.require(some, "trainer_ids", f"must have 1 to {MEMBER_LIMIT} entries")
    for index, trainer_id in enumerate(trainer_ids[:MEMBER_LIMIT]):
        noted.require_id(f"trainer_ids[{index}]", trainer_id)
        once = trainer_id not in trainer_ids[:index]
        noted.require(once, f"trainer_ids[{index}]", "must not come twice")
