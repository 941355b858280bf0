"""The story on the real Temporal server: which activities run, in which order, for every turn."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.waiting import until
from tests.workflows.conftest import Stage, reason_of
from tests.workflows.scripted import (
    CANCELED,
    DECLINED,
    NEEDS_CLIENT,
    PAID,
    PROCESSING,
    refused,
)
from workflows.hire import steps
from workflows.hire.contract import (
    Actor,
    CancelOrder,
    HirePolicy,
    HireResult,
    HireTotals,
    OperatorActor,
    OperatorOrder,
    PaymentChoice,
    PaymentHint,
    PaymentRetry,
    TermsOffer,
)
from workflows.hire.workflow import HireWorkflow

EMPLOYER = Actor(kind="EMPLOYER", id="user-1")
CANCEL = CancelOrder(reason="changed_mind", actor=EMPLOYER)
OTHER_CARD = PaymentRetry(payment=PaymentChoice(method_id="pm_2"), actor=EMPLOYER)
HAPPY = [
    "reserve",
    "create_contract",
    "take_payment",
    "activate_contract",
    "open_thread",
    "complete_hire",
]
UNDONE_AFTER_CONTRACT = ["settle_payment", "cancel_contract", "release"]


def offer(revision: int = 2, amount: int = 60000) -> TermsOffer:
    return TermsOffer(
        revision=revision,
        totals=HireTotals(
            amount=amount, marketplace_fee=amount // 10, contract_fee=995, currency="USD"
        ),
        payment=PaymentChoice(method_id="pm_1"),
        requested_at=datetime.now(UTC),
        confirm_declined=False,
        actor=EMPLOYER,
    )


class Gate:
    """Holds an activity until the test opens it, and tells when it is reached."""

    def __init__(self, answer: Any) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._answer = answer

    async def __call__(self, _given: Any) -> Any:
        self.reached.set()
        await self.open.wait()
        return self._answer


async def refusal(update: Awaitable[Any]) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await update
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause.type or ""


async def parked(handle: WorkflowHandle[HireWorkflow, HireResult]) -> None:
    """Wait until the story waits for the payment: its timer is running then."""

    async def waits() -> bool:
        events = (await handle.fetch_history()).events
        return any(event.HasField("timer_started_event_attributes") for event in events)

    await until(waits)


async def test_a_hire_that_meets_no_obstacle_is_six_activities_in_a_row(stage: Stage) -> None:
    handle = await stage.begin()
    result = await handle.result()
    assert stage.script.names() == HAPPY
    assert result.charge_id == "ch_1"
    assert [given.step.number for _, given in stage.script.asked] == [2, 3, 4, 5, 6, 7]


async def test_a_refused_reservation_is_released_and_nothing_else_is_done(stage: Stage) -> None:
    stage.script.answer(steps.RESERVE, refused("NO_POSITION"))
    handle = await stage.begin()
    assert await reason_of(handle) == "NO_POSITION"
    assert stage.script.names() == ["reserve", "release"]
    assert stage.script.given(steps.RELEASE)[0].end_reason == "NO_POSITION"


async def test_a_refused_contract_is_cancelled_before_the_release(stage: Stage) -> None:
    stage.script.answer(steps.CREATE_CONTRACT, refused("CONTRACT_CANCELLED"))
    handle = await stage.begin()
    assert await reason_of(handle) == "CONTRACT_CANCELLED"
    assert stage.script.names() == ["reserve", "create_contract", "cancel_contract", "release"]


async def test_a_payment_that_needs_the_client_goes_on_after_a_hint_and_a_read(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.READ_PAYMENT, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
    await handle.result()
    assert stage.script.names() == [*HAPPY[:3], "read_payment", *HAPPY[3:]]


async def test_a_hint_is_never_believed(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.READ_PAYMENT, NEEDS_CLIENT, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_other"))
    await until(lambda: len(stage.script.given(steps.READ_PAYMENT)) == 1)
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
    await handle.result()
    assert stage.script.names().count("read_payment") == 2


async def test_a_declined_card_is_followed_by_another_on_the_same_funding(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, DECLINED, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.retry_payment, OTHER_CARD)
    await handle.result()
    first, second = stage.script.given(steps.TAKE_PAYMENT)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.order.funding_id == second.order.funding_id
    assert second.method_id == "pm_2"
    assert second.step.actor == EMPLOYER


async def test_an_intent_cancelled_at_stripe_is_replaced_by_a_new_funding(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, CANCELED, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.retry_payment, OTHER_CARD)
    await handle.result()
    first, second = stage.script.given(steps.TAKE_PAYMENT)
    assert first.order.funding_id != second.order.funding_id
    assert stage.script.given(steps.ACTIVATE_CONTRACT)[0].order == second.order


async def test_a_second_retry_while_one_is_in_flight_is_refused(stage: Stage) -> None:
    gate = Gate(PAID)
    stage.script.answer(steps.TAKE_PAYMENT, DECLINED, gate)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.retry_payment, OTHER_CARD)
    await gate.reached.wait()
    again = handle.execute_update(HireWorkflow.retry_payment, OTHER_CARD)
    assert await refusal(again) == "PAYMENT_IN_PROGRESS"
    gate.open.set()
    await handle.result()
    assert stage.script.names().count("take_payment") == 2


async def test_a_cancel_while_parked_settles_before_it_undoes(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    assert await reason_of(handle) == "HIRE_CANCELLED"
    assert stage.script.names() == [*HAPPY[:3], *UNDONE_AFTER_CONTRACT]
    assert stage.script.given(steps.RELEASE)[0].refunded is False
    assert stage.script.given(steps.RELEASE)[0].step.actor == EMPLOYER


async def test_a_success_that_races_an_accepted_cancel_is_refunded_and_undone(
    stage: Stage,
) -> None:
    gate = Gate(PAID)
    stage.script.answer(steps.TAKE_PAYMENT, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    gate.open.set()
    assert await reason_of(handle) == "HIRE_CANCELLED"
    assert stage.script.names() == [
        *HAPPY[:3],
        "refund_payment",
        "record_refunded_charge",
        "cancel_contract",
        "release",
    ]
    assert stage.script.given(steps.RELEASE)[0].refunded is True


async def test_a_success_found_while_settling_a_cancel_is_refunded(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.SETTLE_PAYMENT, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    assert await reason_of(handle) == "HIRE_CANCELLED"
    assert stage.script.names()[3:] == [
        "settle_payment",
        "refund_payment",
        "record_refunded_charge",
        "cancel_contract",
        "release",
    ]


async def test_a_payment_that_is_processing_is_waited_for_before_anything_is_undone(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, PROCESSING)
    stage.script.answer(steps.SETTLE_PAYMENT, PROCESSING, CANCELED)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    await until(lambda: len(stage.script.given(steps.SETTLE_PAYMENT)) == 1)
    assert "cancel_contract" not in stage.script.names()
    await handle.signal(HireWorkflow.payment_hint, PaymentHint(intent_id="pi_1"))
    assert await reason_of(handle) == "HIRE_CANCELLED"


async def test_a_bank_that_takes_long_is_asked_ever_more_rarely(stage: Stage) -> None:
    polls = tuple(timedelta(milliseconds=50 * n) for n in (1, 2, 3))
    stage.script.answer(steps.TAKE_PAYMENT, PROCESSING)
    stage.script.answer(steps.READ_PAYMENT, *[PROCESSING] * 100)
    stage.script.answer(steps.SETTLE_PAYMENT, *[PROCESSING] * 4, CANCELED)
    handle = await stage.begin(policy=HirePolicy(polls=polls))
    await parked(handle)
    await handle.execute_update(HireWorkflow.cancel_hire, CANCEL)
    assert await reason_of(handle) == "HIRE_CANCELLED"
    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in (await handle.fetch_history()).events
        if event.HasField("timer_started_event_attributes")
    ]
    assert timers[-4:] == [*polls, polls[-1]]


async def test_a_retry_is_not_confirmed_long_after_it_was_asked_for(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, DECLINED, PAID)
    handle = await stage.begin()
    await parked(handle)
    before = datetime.now(UTC)
    await handle.execute_update(HireWorkflow.retry_payment, OTHER_CARD)
    await handle.result()
    window = HirePolicy().saved_method_window
    latest = stage.script.given(steps.TAKE_PAYMENT)[1].confirm_until
    assert before + window <= latest <= datetime.now(UTC) + window


async def test_a_saved_method_is_not_charged_long_after_it_was_asked_for(stage: Stage) -> None:
    long_ago = datetime.now(UTC) - HirePolicy().saved_method_window - timedelta(seconds=1)
    handle = await stage.begin(requested_at=long_ago)
    await handle.result()
    assert stage.script.given(steps.TAKE_PAYMENT)[0].method_id is None


async def test_temporals_own_cancel_is_the_same_wish_and_twice_is_once(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    handle = await stage.begin()
    await parked(handle)
    await handle.cancel()
    await handle.cancel()
    assert await reason_of(handle) == "HIRE_CANCELLED"
    assert stage.script.names() == [*HAPPY[:3], *UNDONE_AFTER_CONTRACT]


async def test_past_the_pivot_a_cancel_is_refused_and_temporals_is_ignored(stage: Stage) -> None:
    gate = Gate(None)
    stage.script.answer(steps.ACTIVATE_CONTRACT, gate)
    handle = await stage.begin()
    await gate.reached.wait()
    assert await refusal(handle.execute_update(HireWorkflow.cancel_hire, CANCEL)) == "PAST_PIVOT"
    await handle.cancel()
    gate.open.set()
    await handle.result()
    assert stage.script.names() == HAPPY


async def test_other_terms_while_unpaid_settle_amend_and_charge_anew(stage: Stage) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.offer_terms, offer())
    await handle.result()
    assert stage.script.names() == [
        *HAPPY[:3],
        "settle_payment",
        "amend_contract",
        *HAPPY[2:],
    ]
    first, second = stage.script.given(steps.TAKE_PAYMENT)
    assert first.order.funding_id != second.order.funding_id
    assert second.order.totals.total == 60000 + 6000 + 995
    assert second.order.revision == 2


async def test_other_terms_that_come_too_late_are_refused_and_the_first_are_kept(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, NEEDS_CLIENT)
    stage.script.answer(steps.SETTLE_PAYMENT, PAID)
    handle = await stage.begin()
    await parked(handle)
    await handle.execute_update(HireWorkflow.offer_terms, offer())
    await handle.result()
    assert stage.script.names() == [*HAPPY[:3], "settle_payment", "refuse_terms", *HAPPY[3:]]
    assert stage.script.given(steps.REFUSE_TERMS)[0].revision == 2


async def test_a_payment_whose_outcome_is_refused_for_good_is_settled_and_undone(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, refused("PAYMENT_REJECTED"))
    handle = await stage.begin()
    assert await reason_of(handle) == "PAYMENT_REJECTED"
    assert stage.script.names() == [*HAPPY[:3], *UNDONE_AFTER_CONTRACT]


async def test_a_charge_found_after_an_unknown_outcome_carries_the_hire_forward(
    stage: Stage,
) -> None:
    stage.script.answer(steps.TAKE_PAYMENT, refused("PAYMENT_REJECTED"))
    stage.script.answer(steps.SETTLE_PAYMENT, PAID)
    handle = await stage.begin()
    await handle.result()
    assert stage.script.names() == [*HAPPY[:3], "settle_payment", *HAPPY[3:]]


@pytest.mark.parametrize(
    "step",
    [steps.ACTIVATE_CONTRACT, steps.OPEN_THREAD, steps.COMPLETE_HIRE],
    ids=lambda step: step.name,
)
async def test_past_the_pivot_a_refusal_parks_the_hire_until_an_operator_retries(
    stage: Stage, step: steps.Activity[Any, Any]
) -> None:
    stage.script.answer(step, refused("WRONG_STATE"))
    handle = await stage.begin()
    await until(lambda: "block" in stage.script.names())
    retry = OperatorOrder(reason="fixed", actor=OperatorActor(id="olga"))

    async def retried() -> bool:
        try:
            await handle.execute_update(HireWorkflow.retry_step, retry)
        except WorkflowUpdateFailedError:
            return False  # the block is still being recorded
        return True

    await until(retried)
    await handle.result()
    assert [name for name in stage.script.names() if name != "block"].count(step.name) == 2
    numbers = [given.step.number for _, given in stage.script.asked]
    assert numbers == sorted(set(numbers))


async def test_an_undoing_that_is_refused_waits_for_an_operator_too(stage: Stage) -> None:
    stage.script.answer(steps.RESERVE, refused("NO_POSITION"))
    stage.script.answer(steps.RELEASE, refused("WRONG_STATE"))
    await stage.begin()
    await until(lambda: stage.script.names() == ["reserve", "release", "block"])
