"""Two builds side by side: a hire ends on the build it began on, new hires begin on the new one."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from tests.workflows.changed import ChangedHireWorkflow
from tests.workflows.conftest import Stage
from tests.workflows.scripted import NEEDS_CLIENT, PAID, ScriptedActivities
from tests.workflows.test_story import HAPPY, parked
from workflows.hire import steps
from workflows.hire.contract import PaymentHint
from workflows.hire.sandbox import WORKFLOW_RUNNER
from workflows.hire.workflow import HireWorkflow
from workflows.settings import HiringSettings
from workflows.worker import deployment_of, promote

THREAD_FIRST = [*HAPPY[:3], "open_thread", "activate_contract", "complete_hire"]


@asynccontextmanager
async def build(
    client: Client, task_queue: str, story: type[HireWorkflow], name: str
) -> AsyncIterator[ScriptedActivities]:
    """A worker of a build, made the current one; what its activities were asked."""
    script = ScriptedActivities()
    told: dict[str, Any] = {
        "database_url": "postgresql+asyncpg://unused/unused",
        "nats_url": "nats://unused",
        "auth_keys": "unused",
        "temporal_address": "unused",
        "stripe_api_key": "sk_test_unused",
        "build_id": name,
    }
    settings = HiringSettings.model_validate(told)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[story],
        activities=script.all(),
        workflow_runner=WORKFLOW_RUNNER,
        deployment_config=deployment_of(settings),
    ):
        await promote(client, settings)
        yield script


async def test_hires_that_began_before_a_roll_out_end_on_their_build_and_later_ones_on_the_new(
    client: Client,
) -> None:
    queue = f"rollout-{uuid.uuid4()}"
    name = uuid.uuid4().hex
    async with build(client, queue, HireWorkflow, f"{name}-1") as old:
        old.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
        old.answer(steps.READ_PAYMENT, PAID)
        before = await Stage(client, old, queue).begin()
        await parked(before)
        async with build(client, queue, ChangedHireWorkflow, f"{name}-2") as new:
            after = await Stage(client, new, queue).begin()
            await after.result()
            assert new.names() == THREAD_FIRST
            await before.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
            await before.result()
            assert old.names() == [*HAPPY[:3], "read_payment", *HAPPY[3:]]
            assert new.names() == THREAD_FIRST
