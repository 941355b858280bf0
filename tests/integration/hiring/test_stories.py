"""The ports to the workflows, on the real Temporal server with the real story."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from services.common.errors import Conflict, Refused
from services.common.runtime import utc_now
from tests.conftest import Infrastructure
from tests.workflows.scripted import NEEDS_CLIENT, ScriptedActivities
from workflows.hire import steps
from workflows.hire.contract import (
    HIRE_DEADLINE,
    HIRE_STAGE,
    Actor,
    CancelOrder,
    HireInput,
    HirePolicy,
    HireTotals,
    PaymentChoice,
    PaymentRetry,
    hire_workflow_id,
)
from workflows.hire.workflow import HireWorkflow
from workflows.hiring.stories import TemporalStories
from workflows.hiring.use_cases.ports import NotRunning

ANNA = Actor(kind="EMPLOYER", id="anna")
CANCEL = CancelOrder(reason="changed_mind", actor=ANNA)
RETRY = PaymentRetry(payment=PaymentChoice(method_id="pm_2"), actor=ANNA)


@dataclass(frozen=True)
class Theatre:
    """The server, a worker with scripted activities, and the ports under test."""

    client: Client
    stories: TemporalStories
    script: ScriptedActivities

    async def status(self, hire: HireInput) -> WorkflowExecutionStatus | None:
        handle = self.client.get_workflow_handle(hire_workflow_id(hire.proposal_id))
        return (await handle.describe()).status

    async def ended(self, hire: HireInput) -> WorkflowExecutionStatus | None:
        async with asyncio.timeout(10):
            while (await self.status(hire)) is WorkflowExecutionStatus.RUNNING:  # noqa: ASYNC110 - the server tells no one
                await asyncio.sleep(0.02)
        return await self.status(hire)

    async def parked(self, hire: HireInput) -> None:
        """Wait until the story knows the payment's answer: asked, the activity has not told it."""
        handle = self.client.get_workflow_handle(hire_workflow_id(hire.proposal_id))
        async with asyncio.timeout(10):
            while (await handle.describe()).typed_search_attributes.get(HIRE_DEADLINE) is None:  # noqa: ASYNC110 - the server tells no one
                await asyncio.sleep(0.02)


@pytest.fixture
async def theatre(infrastructure: Infrastructure) -> AsyncIterator[Theatre]:
    client = await Client.connect(
        infrastructure.temporal_address, data_converter=pydantic_data_converter
    )
    script = ScriptedActivities()
    script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    queue = f"stories-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[HireWorkflow], activities=script.all()):
        yield Theatre(client, TemporalStories(client, utc_now, queue), script)


def hire_of(proposal_id: str) -> HireInput:
    return HireInput(
        env="test",
        hire_id=str(uuid.uuid4()),
        proposal_id=proposal_id,
        job_id="job-1",
        organisation_id="org-1",
        trainer_id="trainer-1",
        customer_id="cus_1",
        confirm_declined=False,
        totals=HireTotals(amount=45000, marketplace_fee=4500, contract_fee=995, currency="USD"),
        payment=PaymentChoice(),
        requested_at=datetime.now(UTC),
        policy=HirePolicy(polls=(timedelta(seconds=30),)),
    )


async def test_a_hire_is_started_once_however_often_that_is_asked(theatre: Theatre) -> None:
    hire = hire_of(str(uuid.uuid4()))
    await asyncio.gather(*(theatre.stories.start(hire, again=False) for _ in range(10)))
    await theatre.parked(hire)
    handle = theatre.client.get_workflow_handle(hire_workflow_id(hire.proposal_id))
    described = await handle.describe()
    assert described.typed_search_attributes.get(HIRE_STAGE) is not None
    await theatre.stories.cancel_hire(hire.proposal_id, hire.hire_id, "k", CANCEL)
    assert await theatre.ended(hire) is WorkflowExecutionStatus.FAILED
    await theatre.stories.start(hire, again=True)
    assert await theatre.status(hire) is WorkflowExecutionStatus.FAILED
    assert theatre.script.names().count(steps.RESERVE.name) == 1


async def test_a_creator_that_was_held_up_does_not_start_what_another_started_and_ended(
    theatre: Theatre,
) -> None:
    asked = datetime.now(UTC) - timedelta(minutes=1)
    hire = hire_of(str(uuid.uuid4())).model_copy(update={"requested_at": asked})
    await theatre.stories.start(hire, again=True)
    await theatre.parked(hire)
    await theatre.stories.cancel_hire(hire.proposal_id, hire.hire_id, "k", CANCEL)
    assert await theatre.ended(hire) is WorkflowExecutionStatus.FAILED
    await theatre.stories.start(hire, again=False)
    assert await theatre.status(hire) is WorkflowExecutionStatus.FAILED


async def test_the_next_hire_of_a_proposal_waits_for_the_former_to_close(theatre: Theatre) -> None:
    former = hire_of(str(uuid.uuid4()))
    await theatre.stories.start(former, again=False)
    await theatre.parked(former)
    following = hire_of(former.proposal_id)
    starting = asyncio.create_task(theatre.stories.start(following, again=False))
    with pytest.raises(NotRunning):
        await theatre.stories.cancel_hire(following.proposal_id, following.hire_id, "k", CANCEL)
    await theatre.stories.cancel_hire(former.proposal_id, former.hire_id, "k", CANCEL)
    await starting
    await theatre.stories.cancel_hire(following.proposal_id, following.hire_id, "k", CANCEL)


async def test_what_the_story_refuses_is_refused_by_name(theatre: Theatre) -> None:
    hire = hire_of(str(uuid.uuid4()))
    await theatre.stories.start(hire, again=False)
    await theatre.parked(hire)
    names = (hire.proposal_id, hire.hire_id)
    await theatre.stories.cancel_hire(*names, "k", CANCEL)
    with pytest.raises((Conflict, NotRunning)) as refused:
        await theatre.stories.retry_payment(*names, "r", RETRY)
    if isinstance(refused.value, Conflict):
        assert refused.value.reason == "HIRE_ENDING"


async def test_a_paid_hire_refuses_a_cancel(theatre: Theatre) -> None:
    hire = hire_of(str(uuid.uuid4()))
    held = asyncio.Event()

    async def hold(_: object) -> None:
        await held.wait()

    theatre.script.answer(steps.ACTIVATE_CONTRACT, hold)
    await theatre.stories.start(hire, again=False)
    await theatre.parked(hire)
    names = (hire.proposal_id, hire.hire_id)
    await theatre.stories.retry_payment(*names, "r", RETRY)
    async with asyncio.timeout(10):
        while steps.ACTIVATE_CONTRACT.name not in theatre.script.names():  # noqa: ASYNC110 - made true by the worker
            await asyncio.sleep(0.02)
    with pytest.raises(Refused, match="PAST_PIVOT"):
        await theatre.stories.cancel_hire(*names, "k", CANCEL)
    await theatre.stories.retry_payment(*names, "r", RETRY)  # the same key: the same attempt
    held.set()
    assert await theatre.ended(hire) is WorkflowExecutionStatus.COMPLETED


async def test_a_hint_finds_the_running_workflow_or_says_that_none_runs(theatre: Theatre) -> None:
    hire = hire_of(str(uuid.uuid4()))
    workflow_id = hire_workflow_id(hire.proposal_id)
    with pytest.raises(NotRunning):
        await theatre.stories.hint(workflow_id, "pi_1")
    await theatre.stories.start(hire, again=False)
    await theatre.parked(hire)
    await theatre.stories.hint(workflow_id, "pi_1")
    async with asyncio.timeout(10):
        while steps.READ_PAYMENT.name not in theatre.script.names():  # noqa: ASYNC110 - made true by the worker
            await asyncio.sleep(0.02)
    await theatre.stories.cancel_hire(hire.proposal_id, hire.hire_id, "k", CANCEL)
