"""Stripe has forgotten the key under which something was created whose answer was lost."""

import asyncio

import pytest

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, UNDONE, VISA, cancel, start

pytestmark = pytest.mark.timeout(240)
THIRTY_HOURS = 30 * 3600


async def answer_lost_for_thirty_hours(system: System, operation: str) -> None:
    """Kill the worker while the answer is withheld; Stripe's clock goes on without it."""
    hold = await system.hold_reached(operation)
    await system.stack.kill("worker")
    await system.release(hold)
    moved = await system.sandbox.post("/_sandbox/clock", json={"advance_seconds": THIRTY_HOURS})
    moved.raise_for_status()
    await system.stack.start("worker")


async def test_an_intent_whose_key_expired_is_found_again_and_not_made_twice(
    system: System,
) -> None:
    """9. Key expired.

    Create committed, reply lost, worker off for 30 h of the sandbox's clock → one intent.
    """
    journey = await system.proposed(VISA)
    await system.fault(kind="commit_then_hang", operation="payment_intents.create")
    starting = asyncio.create_task(start(journey))
    await answer_lost_for_thirty_hours(system, "payment_intents.create")
    hire = await system.ended(journey, (await starting).hire.hire_id)
    assert hire.state == HIRED
    assert len(await system.intents(hire)) == 1
    await system.audited(hire.hire_id)


async def test_a_refund_whose_key_expired_is_found_again_and_not_made_twice(
    system: System,
) -> None:
    """9. The same for a refund. A split transfer comes with the milestones' own workflows."""
    journey = await system.proposed(VISA)
    await system.fault(kind="commit_then_hang", operation="refunds.create")
    with system.stop_at("activity.take_payment.after", journey.proposal_id) as paid:
        starting = asyncio.create_task(start(journey))
        await paid.reached()
        hire_id = await journey.live_hire()
        await cancel(journey, hire_id)
    await answer_lost_for_thirty_hours(system, "refunds.create")
    await starting
    hire = await system.ended(journey, hire_id)
    assert (hire.state, hire.end_reason) == (UNDONE, "HIRE_CANCELLED")
    [charge] = await system.charges(hire)
    assert charge["amount_refunded"] == charge["amount"]
    assert len(await system.refunds(charge["id"])) == 1
    await system.audited(hire_id)
