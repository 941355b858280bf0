"""The hire's clocks at their real lengths, on a server that skips the waiting.

Only timers are tested here: everything else plays on the real server.
"""

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Stage, reason_of, staged
from tests.workflows.scripted import NEEDS_CLIENT, PAID, PROCESSING, ScriptedActivities
from workflows.hire import steps
from workflows.hire.contract import (
    SEARCH_ATTRIBUTES,
    Actor,
    HirePolicy,
    HireResult,
    PaymentChoice,
    PaymentRetry,
)
from workflows.hire.workflow import HireWorkflow

Hire = WorkflowHandle[HireWorkflow, HireResult]
SERVER = Path(sys.executable).with_name("temporal-test-server")
EMPLOYER = Actor(kind="EMPLOYER", id="user-1")
HOUR = timedelta(hours=1)
# The server rounds its clock when it skips, and activities take real milliseconds.
EARLY, LATE = timedelta(seconds=-1), timedelta(seconds=30)


@pytest.fixture(scope="module")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(SERVER), data_converter=pydantic_data_converter
    ) as skipping:
        attributes = {
            key.name: IndexedValueType.ValueType(key.indexed_value_type)
            for key in SEARCH_ATTRIBUTES
        }
        await skipping.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=skipping.client.namespace, search_attributes=attributes
            )
        )
        yield skipping


@pytest.fixture
async def stage(env: WorkflowEnvironment, script: ScriptedActivities) -> AsyncIterator[Stage]:
    async with staged(env.client, script) as ready:
        yield ready


async def begin(stage: Stage, env: WorkflowEnvironment) -> Hire:
    return await stage.begin(policy=HirePolicy(), requested_at=await env.get_current_time())


async def scheduled(hire: Hire, signature: steps.Activity[steps.In, steps.Out]) -> list[timedelta]:
    """When an activity was scheduled, counted from the hire's start."""
    events = (await hire.fetch_history()).events
    start = events[0].event_time.ToDatetime()
    return [
        event.event_time.ToDatetime() - start
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == signature.name
    ]


def assert_about(when: timedelta, expected: timedelta) -> None:
    assert EARLY <= when - expected <= LATE, f"{when} is not about {expected}"


async def test_an_unpaid_hire_is_read_ever_more_rarely_and_undone_after_72_hours(
    env: WorkflowEnvironment, stage: Stage, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    hire = await begin(stage, env)
    assert await reason_of(hire) == "PAYMENT_EXPIRED"

    reads = await scheduled(hire, steps.READ_PAYMENT)
    expected, due = [], timedelta(0)
    for pause in [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)]:
        due += pause
        expected.append(due)
    while (due := due + HOUR) < 72 * HOUR:
        expected.append(due)
    assert len(reads) == len(expected)
    for read, wanted in zip(reads, expected, strict=True):
        assert_about(read, wanted)
    [settled] = await scheduled(hire, steps.SETTLE_PAYMENT)
    assert_about(settled, 72 * HOUR)


async def test_a_new_attempt_on_the_last_day_does_not_move_the_deadline(
    env: WorkflowEnvironment, stage: Stage, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT, NEEDS_CLIENT)
    hire = await begin(stage, env)
    await env.sleep(71 * HOUR)
    retry = PaymentRetry(payment=PaymentChoice(method_id="pm_2"), actor=EMPLOYER)
    await hire.execute_update(HireWorkflow.retry_payment, retry)
    assert await reason_of(hire) == "PAYMENT_EXPIRED"

    _, again = await scheduled(hire, steps.TAKE_PAYMENT)
    assert_about(again, 71 * HOUR)
    [settled] = await scheduled(hire, steps.SETTLE_PAYMENT)
    assert_about(settled, 72 * HOUR)


async def test_a_bank_that_decides_days_after_the_deadline_is_waited_for(
    env: WorkflowEnvironment, stage: Stage, script: ScriptedActivities
) -> None:
    script.answer(steps.TAKE_PAYMENT, PROCESSING)
    for _ in range(78):
        script.answer(steps.READ_PAYMENT, PROCESSING)
    script.answer(steps.SETTLE_PAYMENT, *[PROCESSING] * 50, PAID)
    hire = await begin(stage, env)
    await hire.result()

    settling = await scheduled(hire, steps.SETTLE_PAYMENT)
    assert_about(settling[0], 72 * HOUR)
    assert len(settling) == 51
    # 30 s, 2 min, 10 min, then every hour: two days in fifty readings.
    assert settling[-1] - settling[0] > 47 * HOUR
    assert script.names()[-3:] == ["activate_contract", "open_thread", "complete_hire"]


async def test_a_step_of_ours_that_fails_for_ten_minutes_undoes_the_hire(
    env: WorkflowEnvironment, stage: Stage, script: ScriptedActivities
) -> None:
    async def away(_given: steps.ContractInput) -> None:
        raise ApplicationError("contracts is away", type="UNAVAILABLE")

    script.answer(steps.CREATE_CONTRACT, *[away] * 200)
    hire = await begin(stage, env)
    assert await reason_of(hire) == "STAGE_TIMED_OUT"

    [cancelled] = await scheduled(hire, steps.CANCEL_CONTRACT)
    # A next try that could only begin after the deadline is not waited for; they are 10 s apart.
    assert timedelta(minutes=9, seconds=50) <= cancelled <= timedelta(minutes=10) + LATE
    assert script.names()[-2:] == ["cancel_contract", "release"]


async def test_a_saved_method_is_not_charged_when_the_attempt_begins_after_15_minutes(
    env: WorkflowEnvironment, stage: Stage, script: ScriptedActivities
) -> None:
    asked_at = await env.get_current_time() - timedelta(minutes=15, seconds=1)
    script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    hire = await stage.begin(policy=HirePolicy(), requested_at=asked_at)
    assert await reason_of(hire) == "PAYMENT_EXPIRED"
    [taken] = script.given(steps.TAKE_PAYMENT)
    assert taken.method_id is None
    assert taken.confirm_until == asked_at + timedelta(minutes=15)
