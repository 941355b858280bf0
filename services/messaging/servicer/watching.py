"""The stream of what happens in a thread."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import AsyncIterator
from contextlib import aclosing

from hireflow.messaging.v1 import thread_pb2
from services.common.auth import current_caller
from services.common.errors import problems
from services.common.resume import read_token, write_token
from services.messaging.servicer.calls import Calls, Context
from services.messaging.use_cases import watching
from services.messaging.wire import change_message


class WatchCalls(Calls):
    """The part of MessagingService that streams."""

    async def WatchThread(
        self, request: thread_pb2.WatchThreadRequest, context: Context
    ) -> AsyncIterator[thread_pb2.WatchThreadResponse]:
        """Stream what happens in a thread."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("thread_id", request.thread_id)
        token = request.resume_token
        after = read_token(caller, request.thread_id, token) if token else None
        story = watching.watch_thread(self._feeds, caller, request.thread_id, after)
        async with aclosing(story) as told:
            async for each in told:
                answer = change_message(each.change)
                answer.resume_token = write_token(caller, request.thread_id, each.number)
                yield answer
