"""What operators may do to a story under way: retry, skip the thread, refund in full, extend."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.waiting import until
from tests.workflows.conftest import Stage, reason_of
from tests.workflows.scripted import NEEDS_CLIENT, PAID, refused
from tests.workflows.test_story import CANCEL, HAPPY, Gate, parked, refusal
from workflows.hire import steps
from workflows.hire.contract import (
    HIRE_BLOCKED,
    HIRE_DEADLINE,
    HIRE_STAGE,
    Actor,
    DeadlineExtension,
    HirePolicy,
    HireResult,
    OperatorActor,
    OperatorOrder,
    PaymentHint,
)
from workflows.hire.workflow import HireWorkflow

Handle = WorkflowHandle[HireWorkflow, HireResult]
OLGA = Actor(kind="OPERATOR", id="olga")
ORDERED_BY = OperatorActor(id="olga")
ORDER = OperatorOrder(reason="messaging_down", actor=ORDERED_BY)
PAST_PIVOT = [steps.ACTIVATE_CONTRACT, steps.OPEN_THREAD, steps.COMPLETE_HIRE]
REFUNDED = ["note_order", "refund_payment", "refund_contract", "release"]


def failing(times: int = 1000) -> list[ApplicationError]:
    """Failures that Temporal tries again."""
    return [ApplicationError("no answer", type="DEPENDENCY_UNAVAILABLE") for _ in range(times)]


async def retrying(stage: Stage, step: steps.Activity[Any, Any]) -> Handle:
    """Begin a hire and wait until a step of it is being tried again."""
    stage.script.answer(step, *failing())
    handle = await stage.begin()
    await until(lambda: stage.script.names().count(step.name) >= 2)
    return handle


async def blocked(stage: Stage, step: steps.Activity[Any, Any]) -> Handle:
    """Begin a hire and wait until a step of it waits for an operator."""
    stage.script.answer(step, refused("WRONG_STATE"))
    handle = await stage.begin()
    await until(lambda: "block" in stage.script.names())
    return handle


async def accepted(update: Awaitable[None]) -> bool:
    try:
        await update
    except WorkflowUpdateFailedError:
        return False
    return True


async def details(handle: Handle) -> str:
    metadata: WorkflowMetadata = await handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


def assert_numbered(stage: Stage) -> None:
    numbers = [given.step.number for _, given in stage.script.asked]
    assert numbers == sorted(numbers)


async def test_a_thread_that_cannot_be_opened_is_skipped_while_it_is_retried(
    stage: Stage,
) -> None:
    handle = await retrying(stage, steps.OPEN_THREAD)
    await handle.execute_update(HireWorkflow.skip_thread, ORDER)
    result = await handle.result()
    assert result.thread_id == ""
    assert stage.script.names()[-2:] == ["note_order", "complete_hire"]
    (noted,) = stage.script.given(steps.NOTE_ORDER)
    assert (noted.what, noted.stage) == ("thread_skipped", "THREAD_CREATION")
    assert (noted.step.actor, noted.step.reason) == (OLGA, "messaging_down")
    assert_numbered(stage)


async def test_a_thread_that_is_refused_is_skipped_while_blocked(stage: Stage) -> None:
    handle = await blocked(stage, steps.OPEN_THREAD)
    await handle.execute_update(HireWorkflow.skip_thread, ORDER)
    await handle.result()
    assert stage.script.names() == [*HAPPY[:5], "block", "note_order", "complete_hire"]
    described = await handle.describe()
    assert described.typed_search_attributes.get(HIRE_BLOCKED) is None


async def test_a_thread_that_opens_while_it_is_skipped_is_kept(stage: Stage) -> None:
    gate = Gate(None)
    stage.script.answer(steps.OPEN_THREAD, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    await handle.execute_update(HireWorkflow.skip_thread, ORDER)
    gate.open.set()
    result = await handle.result()
    assert result.thread_id == stage.script.given(steps.OPEN_THREAD)[0].thread_id
    assert stage.script.names() == HAPPY


async def test_only_a_thread_that_is_being_opened_is_skipped(stage: Stage) -> None:
    handle = await retrying(stage, steps.ACTIVATE_CONTRACT)
    assert await refusal(handle.execute_update(HireWorkflow.skip_thread, ORDER)) == "WRONG_STATE"


@pytest.mark.parametrize("step", PAST_PIVOT, ids=lambda step: step.name)
async def test_past_the_pivot_a_step_that_is_retried_gives_way_to_a_full_refund(
    stage: Stage, step: steps.Activity[Any, Any]
) -> None:
    handle = await retrying(stage, step)
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    assert await reason_of(handle) == "HIRE_REFUNDED"
    assert stage.script.names()[-4:] == REFUNDED
    assert stage.script.names().count("refund_payment") == 1
    (noted,) = stage.script.given(steps.NOTE_ORDER)
    assert (noted.what, noted.stage) == ("refund_ordered", "UNDOING")
    assert (noted.step.actor, noted.step.reason) == (OLGA, "messaging_down")
    (booked,) = stage.script.given(steps.REFUND_CONTRACT)
    assert (booked.charge_id, booked.provider_refund_id) == ("ch_1", "re_1")
    (release,) = stage.script.given(steps.RELEASE)
    assert (release.refunded, release.step.actor) == (True, OLGA)
    assert release.contract_id == booked.order.contract_id


@pytest.mark.parametrize("step", PAST_PIVOT, ids=lambda step: step.name)
async def test_past_the_pivot_a_blocked_step_gives_way_to_a_full_refund(
    stage: Stage, step: steps.Activity[Any, Any]
) -> None:
    handle = await blocked(stage, step)
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    assert await reason_of(handle) == "HIRE_REFUNDED"
    assert stage.script.names()[-5:] == ["block", *REFUNDED]
    described = await handle.describe()
    assert described.typed_search_attributes.get(HIRE_STAGE) == "ENDED"
    assert described.typed_search_attributes.get(HIRE_BLOCKED) is None
    assert_numbered(stage)


async def test_an_activation_that_succeeds_while_it_is_given_up_is_refunded_like_any_other(
    stage: Stage,
) -> None:
    gate = Gate(None)
    stage.script.answer(steps.ACTIVATE_CONTRACT, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    assert "note_order" not in stage.script.names()  # the try under way is waited for
    gate.open.set()
    assert await reason_of(handle) == "HIRE_REFUNDED"
    assert stage.script.names() == [*HAPPY[:4], *REFUNDED]


async def test_a_hire_that_ends_hired_while_it_is_given_up_is_hired_and_not_refunded(
    stage: Stage,
) -> None:
    gate = Gate(None)
    stage.script.answer(steps.COMPLETE_HIRE, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    gate.open.set()
    result = await handle.result()
    assert result.charge_id == "ch_1"
    assert stage.script.names() == HAPPY


async def test_a_last_step_that_timed_out_and_yet_ended_the_hire_wins_over_the_refund(
    stage: Stage,
) -> None:
    stage.script.answer(steps.NOTE_ORDER, steps.OrderOutcome(taken=False))
    handle = await retrying(stage, steps.COMPLETE_HIRE)
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    result = await handle.result()
    assert result.thread_id == stage.script.given(steps.OPEN_THREAD)[0].thread_id
    assert stage.script.names()[-1] == "note_order"
    assert "refund_payment" not in stage.script.names()


async def test_a_refund_is_ordered_once_and_beats_a_skip(stage: Stage) -> None:
    gate = Gate(ApplicationError("no answer", type="DEPENDENCY_UNAVAILABLE"))
    stage.script.answer(steps.OPEN_THREAD, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    await handle.execute_update(HireWorkflow.skip_thread, ORDER)
    assert await refusal(handle.execute_update(HireWorkflow.skip_thread, ORDER)) == "CONFLICT"
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    again = handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    assert await refusal(again) == "HIRE_ENDING"
    skip = handle.execute_update(HireWorkflow.skip_thread, ORDER)
    assert await refusal(skip) == "HIRE_ENDING"
    gate.open.set()
    await reason_of(handle)


async def test_what_is_not_paid_is_cancelled_and_not_refunded(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    handle = await stage.begin()
    await parked(handle)
    refund = handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    assert await refusal(refund) == "WRONG_STATE"
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    assert await reason_of(handle) == "HIRE_CANCELLED"


@pytest.mark.parametrize(
    "typed",
    [
        {"reason": "Jordan asked me to", "actor": {"kind": "OPERATOR", "id": "olga"}},
        {"reason": "client_asked", "actor": {"kind": "BOSS", "id": "olga"}},
        {"reason": "client_asked"},
    ],
    ids=["text of people", "no operator", "nobody"],
)
async def test_an_order_that_is_typed_wrongly_is_refused_and_does_no_harm(
    stage: Stage, typed: dict[str, Any]
) -> None:
    handle = await retrying(stage, steps.OPEN_THREAD)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("refund_in_full", typed)
    await handle.execute_update(HireWorkflow.skip_thread, ORDER)
    await handle.result()
    assert "refund_payment" not in stage.script.names()


async def test_a_refund_that_stripe_refuses_waits_for_an_operators_retry(stage: Stage) -> None:
    stage.script.answer(steps.REFUND_PAYMENT, refused("PAYMENT_REJECTED"))
    handle = await retrying(stage, steps.OPEN_THREAD)
    await handle.execute_update(HireWorkflow.refund_in_full, ORDER)
    await until(lambda: "block" in stage.script.names())
    await until(lambda: accepted(handle.execute_update(HireWorkflow.retry_step, ORDER)))
    assert await reason_of(handle) == "HIRE_REFUNDED"
    first, second = stage.script.given(steps.REFUND_PAYMENT)
    assert (first.refund_id, first.key) == (second.refund_id, second.key)


async def test_a_retry_is_told_with_who_asked_and_why(stage: Stage) -> None:
    handle = await blocked(stage, steps.ACTIVATE_CONTRACT)
    await handle.execute_update(HireWorkflow.retry_step, ORDER)
    await handle.result()
    assert stage.script.names()[3:6] == ["activate_contract", "block", "note_order"]
    (noted,) = stage.script.given(steps.NOTE_ORDER)
    assert (noted.what, noted.stage) == ("retry_ordered", "CONTRACT_ACTIVATION")
    assert (noted.step.actor, noted.step.reason) == (OLGA, "messaging_down")


async def test_only_a_blocked_step_is_retried_by_hand(stage: Stage) -> None:
    handle = await retrying(stage, steps.OPEN_THREAD)
    assert await refusal(handle.execute_update(HireWorkflow.retry_step, ORDER)) == "WRONG_STATE"


def extension(by: timedelta) -> DeadlineExtension:
    return DeadlineExtension(
        deadline=datetime.now(UTC) + by, reason="client_asked", actor=ORDERED_BY
    )


async def test_a_payment_is_waited_for_longer_when_an_operator_says_so(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.READ_PAYMENT, PAID)
    policy = HirePolicy(payment_deadline=timedelta(hours=1), polls=(timedelta(days=90),))
    handle = await stage.begin(policy=policy)
    await parked(handle)
    longer = extension(timedelta(days=2))
    await handle.execute_update(HireWorkflow.extend_deadline, longer)
    await until(lambda: "extend_deadline" in stage.script.names())
    (told,) = stage.script.given(steps.EXTEND_DEADLINE)
    assert (told.deadline, told.known) == (longer.deadline, NEEDS_CLIENT)
    assert (told.step.actor, told.step.reason) == (OLGA, "client_asked")

    async def shown() -> bool:
        described = await handle.describe()
        return described.typed_search_attributes.get(HIRE_DEADLINE) == longer.deadline

    await until(shown)
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
    await handle.result()
    first, second = (
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in (await handle.fetch_history()).events
        if event.HasField("timer_started_event_attributes")
    )
    assert first <= timedelta(hours=1)
    assert timedelta(hours=1) < second <= timedelta(days=2)


@pytest.mark.parametrize("by", [timedelta(hours=71), timedelta(days=31)])
async def test_a_deadline_is_moved_forward_alone_and_within_the_policy(
    stage: Stage, by: timedelta
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    handle = await stage.begin()
    await parked(handle)
    moved = handle.execute_update(HireWorkflow.extend_deadline, extension(by))
    assert await refusal(moved) == "DEADLINE_OUT_OF_BOUNDS"


async def test_no_deadline_is_moved_where_no_payment_is_waited_for(stage: Stage) -> None:
    handle = await retrying(stage, steps.ACTIVATE_CONTRACT)
    moved = handle.execute_update(HireWorkflow.extend_deadline, extension(timedelta(days=4)))
    assert await refusal(moved) == "PAYMENT_NOT_EXPECTED"


async def test_the_details_tell_what_comes_next_and_which_update_an_operator_may_send(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.READ_PAYMENT, PAID)
    stage.script.answer(steps.ACTIVATE_CONTRACT, refused("WRONG_STATE"))
    handle = await stage.begin()
    await parked(handle)
    assert "undone at" in await details(handle)
    assert '`extend_deadline` with `{"deadline": ' in await details(handle)
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
    await until(lambda: "block" in stage.script.names())
    told = await details(handle)
    assert "BLOCKED in activate_contract: WRONG_STATE" in told
    assert "`retry_step`, `refund_in_full`, each with" in told
    stage.script.answer(steps.OPEN_THREAD, *failing())
    await handle.execute_update(HireWorkflow.retry_step, ORDER)
    await until(lambda: "open_thread" in stage.script.names())
    told = await details(handle)
    assert "tried again until it succeeds" in told
    assert "`skip_thread`, `refund_in_full`, each with" in told
