"""A try that died with its worker is noticed in seconds, however long a living one may take."""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BEATS_IN_TIMEOUT = 3
"""Two beats may be lost before Temporal gives a try up."""


class Heartbeats(Interceptor):
    """Beats for each activity that has a heartbeat timeout, for as long as its try runs.

    Temporal answers a beat with what became of the activity in the meantime. A try goes on all the
    same, as one without heartbeats does: what it brings about counts (see `StepMachine._try`), and
    only its end tells what that was. A worker that shuts down ends its tries.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        """Put the beats around the activities."""
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's name; any answer
        timeout = activity.info().heartbeat_timeout
        if timeout is None:
            return await super().execute_activity(input)
        pause = timeout.total_seconds() / BEATS_IN_TIMEOUT
        running = asyncio.create_task(super().execute_activity(input))
        while True:
            try:
                ended, _ = await asyncio.wait({running}, timeout=pause)
            except asyncio.CancelledError:
                told = activity.cancellation_details()
                if told is None or told.worker_shutdown:
                    running.cancel()
                continue
            if ended:
                return running.result()
            activity.heartbeat()
