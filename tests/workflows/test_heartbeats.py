"""A try that may take long is given up when its worker is silent, and by nothing else."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker

from workflows.heartbeats import Heartbeats

SILENCE = timedelta(seconds=1)


@activity.defn
async def take_longer_than_may_be_silent() -> str:
    await asyncio.sleep(2 * SILENCE.total_seconds())
    return "done"


@workflow.defn
class Asked:
    """Has one activity run, and may be told to cancel it meanwhile."""

    @workflow.run
    async def run(self, cancel_after: float | None) -> str:
        tries = workflow.start_activity(
            take_longer_than_may_be_silent,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        if cancel_after is not None:
            await workflow.sleep(cancel_after)
            tries.cancel()
        try:
            return await tries
        except ActivityError as error:
            return type(error.cause).__name__


async def asked(client: Client, cancel_after: float | None, *interceptors: Interceptor) -> str:
    queue = f"heartbeats-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Asked],
        activities=[take_longer_than_may_be_silent],
        interceptors=interceptors,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=SILENCE / 3,
    ):
        return await client.execute_workflow(Asked.run, cancel_after, id=queue, task_queue=queue)


@pytest.fixture(scope="module")
async def ends(client: Client) -> dict[str, str]:
    """How each kind of try ended; they take their time side by side."""
    beating, silent, cancelled = await asyncio.gather(
        asked(client, None, Heartbeats()), asked(client, None), asked(client, 0.1, Heartbeats())
    )
    return {"beating": beating, "silent": silent, "cancelled": cancelled}


def test_a_try_that_beats_may_take_longer_and_one_that_does_not_is_given_up(
    ends: dict[str, str],
) -> None:
    assert (ends["beating"], ends["silent"]) == ("done", "TimeoutError")


def test_a_try_under_way_ends_by_itself_and_counts_though_its_tries_were_cancelled(
    ends: dict[str, str],
) -> None:
    assert ends["cancelled"] == "done"


async def test_a_worker_that_shuts_down_ends_its_tries(client: Client) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    @activity.defn(name="take_longer_than_may_be_silent")
    async def never_end() -> str:
        began.set()
        try:
            await asyncio.Future()
        finally:
            ended.set()
        return "never"

    queue = f"heartbeats-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Asked],
        activities=[never_end],
        interceptors=[Heartbeats()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow(Asked.run, None, id=queue, task_queue=queue)
        await began.wait()
    assert ended.is_set()
    await handle.terminate()
