"""The payment succeeds in the very moment in which its deadline passes."""

import asyncio
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType

from deploy.local.journey import Journey
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import (
    BANK,
    HIRED,
    PENDING,
    RUNNING,
    TOTAL,
    UNDONE,
    VISA,
    assert_free,
    contract_of,
    proposal_of,
    start_for_client,
)

DEADLINE_SECONDS = 12.0


async def deadline_in_history(system: System, hire: Hire) -> None:
    """Wait until the deadline's timer and the webhook's hint stand in the history, unread."""
    handle = system.sources.temporal.get_workflow_handle(hire.workflow_id)
    unread = {
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    }
    async with asyncio.timeout(90):
        while True:
            history = await handle.fetch_history()
            if unread <= {event.event_type for event in history.events}:
                return
            await asyncio.sleep(0.2)  # between two looks at the history, bounded above


async def pay(system: System, secret: str, card: str, status: str) -> None:
    assert await system.browser.confirm_payment(secret, card) == status


async def test_a_payment_that_succeeds_with_the_deadline_carries_the_hire_forward(
    system: System,
) -> None:
    """3. Deadline and success in one activation.

    Worker stopped at 71:59, client pays, deadline passes, worker starts → forward. And with
    `processing`: waits, then each outcome.

    Three hires at once: one pays by card, two by a bank that takes its time. The 72 hours are
    twelve seconds here.
    """
    journeys = await asyncio.gather(*(system.proposed() for _ in range(3)))
    async with system.hiring_with(payment_deadline=DEADLINE_SECONDS) as take_over:
        for journey in journeys:
            take_over(journey)
        started = await asyncio.gather(*(start_for_client(journey) for journey in journeys))
        async with system.without("worker"):
            for each, (card, status) in zip(
                started,
                ((VISA, "succeeded"), (BANK, "processing"), (BANK, "processing")),
                strict=True,
            ):
                await pay(system, each.client_secret, card, status)
                assert datetime.now(UTC) < each.hire.wait_deadline.ToDatetime(UTC)
            await asyncio.gather(*(deadline_in_history(system, each.hire) for each in started))
        by_card, by_bank, unpaid = [each.hire for each in started]

        hire = await system.ended(journeys[0], by_card.hire_id)
        assert (hire.state, await system.net_charged(hire)) == (HIRED, (1, TOTAL))

        for journey, waiting in zip(journeys[1:], (by_bank, unpaid), strict=True):
            await waits_for_the_bank(system, journey, waiting)
        await decide(system, by_bank, "succeed")
        await decide(system, unpaid, "fail")

        hire = await system.ended(journeys[1], by_bank.hire_id)
        assert (hire.state, await system.net_charged(hire)) == (HIRED, (1, TOTAL))
        hire = await system.ended(journeys[2], unpaid.hire_id)
        assert (hire.state, hire.end_reason) == (UNDONE, "PAYMENT_EXPIRED")
        await assert_free(journeys[2])
    await system.audited(*(each.hire.hire_id for each in started))


async def waits_for_the_bank(system: System, journey: Journey, hire: Hire) -> None:
    """Past its deadline, a payment that is processing keeps all that the hire did."""
    waiting = await system.told(journey, hire.hire_id, "payment_settled_processing")
    assert waiting.state == RUNNING
    assert (await contract_of(system, hire)).state == PENDING
    assert (await proposal_of(journey)).hire_id == hire.hire_id


async def decide(system: System, hire: Hire, outcome: str) -> None:
    """The bank's decision."""
    window = f"/_sandbox/payment_intents/{hire.payment_intent_id}/settle"
    (await system.sandbox.post(window, json={"outcome": outcome})).raise_for_status()
