"""The floor of a hire: a workflow of seven activities that do nothing, on the same server.

    python -m benchmarks.bare ADDRESS TASK_QUEUE

runs its worker, set up as the hire's worker is.
"""

import asyncio
import sys
from datetime import timedelta

import uvloop
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

ACTIVITIES = 7


@activity.defn
async def nothing(number: int) -> int:
    """Do nothing."""
    return number


@workflow.defn
class BareWorkflow:
    """Seven activities in a row, each with the timeouts of a hire's."""

    @workflow.run
    async def run(self, given: int) -> int:
        """Run them."""
        for _ in range(ACTIVITIES):
            given = await workflow.execute_activity(
                nothing, given, start_to_close_timeout=timedelta(seconds=8)
            )
        return given


async def main(address: str, task_queue: str) -> None:
    """Work until told to stop."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with Worker(
        client, task_queue=task_queue, workflows=[BareWorkflow], activities=[nothing]
    ):
        await asyncio.Future()


if __name__ == "__main__":
    try:
        uvloop.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
