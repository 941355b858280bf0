"""The clean-up on the real Temporal server: what it does, in which order, and where it stops."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.waiting import until
from tests.workflows.scripted import PAID, PROCESSING, ScriptedActivities, refused
from workflows.hire import steps
from workflows.hire.clean_up import CleanUpWorkflow
from workflows.hire.contract import (
    CleanUpInput,
    CleanUpResult,
    HireTotals,
    OperatorActor,
    OperatorOrder,
    clean_up_workflow_id,
    thread_id_of,
)
from workflows.hire.sandbox import WORKFLOW_RUNNER

RETRY = OperatorOrder(reason="mended", actor=OperatorActor(id="operator-1"))
ORDER = steps.FundingOrder(
    funding_id="funding-1",
    revision=1,
    contract_id="contract-1",
    milestone_id="milestone-1",
    organisation_id="org-1",
    customer_id="cus_1",
    workflow_id="hire/proposal-1",
    env="test",
    totals=HireTotals(amount=45000, marketplace_fee=4500, contract_fee=995, currency="USD"),
)
UNDOING = ["cancel_contract", "release"]
REFUNDING = ["refund_payment", "record_refunded_charge"]
Handle = WorkflowHandle[CleanUpWorkflow, CleanUpResult]


@dataclass
class Yard:
    """A worker that cleans up with scripted activities."""

    client: Client
    task_queue: str

    async def begin(self) -> Handle:
        given = CleanUpInput(
            env="test",
            hire_id=str(uuid.uuid4()),
            proposal_id="proposal-1",
            job_id="job-1",
            organisation_id="org-1",
            reached=100,
            polls=(timedelta(milliseconds=50),),
        )
        return await self.client.start_workflow(
            CleanUpWorkflow.run,
            given,
            id=clean_up_workflow_id(given.hire_id),
            task_queue=self.task_queue,
        )


@pytest.fixture
async def yard(client: Client, script: ScriptedActivities) -> AsyncIterator[Yard]:
    task_queue = f"test-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[CleanUpWorkflow],
        activities=script.all(),
        workflow_runner=WORKFLOW_RUNNER,
    ):
        yield Yard(client, task_queue)


def left(charge: Any = None) -> steps.TakenOver:
    funding = steps.LeftFunding(order=ORDER, charge=charge)
    return steps.TakenOver(contract_id="contract-1", fundings=(funding,))


async def test_what_the_bank_is_processing_is_asked_about_until_it_is_final_and_then_refunded(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, left())
    script.answer(steps.SETTLE_PAYMENT, PROCESSING, PROCESSING, PAID)
    result = await (await yard.begin()).result()
    assert (result.undone, result.refunded) == (True, True)
    settling = ["settle_payment"] * 3
    assert script.names() == ["take_over", *settling, *REFUNDING, *UNDOING]
    numbers = [given.step.number for _, given in script.asked]
    assert numbers == list(range(101, 109))
    (release,) = script.given(steps.RELEASE)
    assert (release.refunded, release.end_reason) == (True, "HIRE_TERMINATED")


async def test_a_charge_that_is_known_is_refunded_without_settling_it_again(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, left(PAID))
    await (await yard.begin()).result()
    assert script.names() == ["take_over", *REFUNDING, *UNDOING]


async def test_a_hire_that_began_no_contract_is_only_released(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, steps.TakenOver())
    result = await (await yard.begin()).result()
    assert (result.undone, result.refunded) == (True, False)
    assert script.names() == ["take_over", "release"]


async def test_a_hire_that_ended_by_itself_is_left_alone(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, steps.TakenOver(ended=True))
    assert not (await (await yard.begin()).result()).undone
    assert script.names() == ["take_over"]


async def test_a_hire_whose_contract_is_active_goes_forward(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(
        steps.TAKE_OVER, steps.TakenOver(trainer_id="trainer-1", contract_id="contract-1")
    )
    result = await (await yard.begin()).result()
    assert (result.hired, result.undone, result.refunded) == (True, False, False)
    assert script.names() == ["take_over", "open_thread", "complete_hire"]
    (thread,) = script.given(steps.OPEN_THREAD)
    assert (thread.trainer_id, thread.thread_id) == ("trainer-1", thread_id_of("contract-1"))


async def test_what_is_undone_under_an_active_contract_ends_it(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, left(PAID).model_copy(update={"active": True}))
    result = await (await yard.begin()).result()
    assert (result.undone, result.refunded) == (True, True)
    assert script.names() == ["take_over", "refund_payment", "refund_contract", "release"]
    (release,) = script.given(steps.RELEASE)
    assert release.contract_id == "contract-1"


async def test_a_refusal_parks_the_clean_up_and_frees_nothing_before_it_is_mended(
    yard: Yard, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_OVER, left(PAID))
    script.answer(steps.RECORD_REFUNDED_CHARGE, refused("WRONG_STATE"))
    handle = await yard.begin()
    await until(lambda: script.names()[-1:] == ["block"])
    assert script.names() == ["take_over", *REFUNDING, "block"]
    await handle.execute_update(CleanUpWorkflow.retry_step, RETRY)
    assert (await handle.result()).refunded
    assert script.names()[4:] == ["note_order", "record_refunded_charge", *UNDOING]
