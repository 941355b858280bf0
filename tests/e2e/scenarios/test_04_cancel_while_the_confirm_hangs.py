"""Our own confirm was committed at Stripe, its answer hangs, and the employer cancels."""

import asyncio

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    CANCELLED,
    PENDING,
    RUNNING,
    TOTAL,
    UNDONE,
    VISA,
    assert_free,
    cancel,
    contract_of,
    proposal_of,
    start,
)


async def test_undoing_learns_of_a_charge_whose_answer_was_lost_before_it_frees_anything(
    system: System,
) -> None:
    """4. Confirm commits, then hangs; cancel meanwhile; worker replaced.

    → undo learns of the charge before freeing anything.
    """
    journey = await system.proposed(VISA)
    await system.fault(kind="commit_then_hang", operation="payment_intents.confirm")
    starting = asyncio.create_task(start(journey))
    hold = await system.hold_reached("payment_intents.confirm")
    hire_id = await journey.live_hire()
    hire = await cancel(journey, hire_id)
    assert (hire.state, hire.charge_id) == (RUNNING, "")
    assert (await contract_of(system, hire)).state == PENDING
    assert (await proposal_of(journey)).hire_id == hire_id

    async with system.without("worker"):
        await system.release(hold)
    await starting
    hire = await system.ended(journey, hire_id)

    assert (hire.state, hire.end_reason) == (UNDONE, "HIRE_CANCELLED")
    story = await system.story(journey, hire_id)
    assert story[-5:] == [
        "payment_paid",
        "refunded",
        "refund_booked",
        "contract_cancelled",
        "undone",
    ]
    [charge] = await system.charges(hire)
    assert (charge["amount"], charge["amount_refunded"]) == (TOTAL, TOTAL)
    assert (await contract_of(system, hire)).state == CANCELLED
    await assert_free(journey)
    await system.audited(hire_id)
