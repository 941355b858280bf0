"""Stripe's success and an accepted cancel cross each other."""

import asyncio

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import (
    CANCELLED,
    RUNNING,
    TOTAL,
    UNDONE,
    VISA,
    assert_free,
    cancel,
    contract_of,
    start_for_client,
)

LOST = {"kind": "drop", "event": "payment_intent.*", "times": 100}


async def test_a_success_that_crosses_a_cancel_is_refunded_once_though_the_worker_dies_over_it(
    system: System,
) -> None:
    """2. Success races cancel.

    The confirm takes 1 s, CancelHire accepted, our cancel of the intent refused (succeeded),
    webhook dropped, worker killed after the refund committed and before its reply → one refund,
    contract CANCELLED, proposal free.

    The second that the confirm takes is told by the sandbox: it has charged, its answer is still
    withheld when the cancel comes.
    """
    journey = await system.proposed()
    async with system.webhooks(LOST):
        # From the start on: a late hint of the intent's creation would find it paid.
        started = await start_for_client(journey)
        hire_id, intent_id = started.hire.hire_id, started.hire.payment_intent_id
        await system.fault(
            kind="commit_then_hang", operation="payment_intents.confirm", object=intent_id
        )
        await system.fault(kind="commit_then_hang", operation="refunds.create")
        paying = asyncio.create_task(system.browser.confirm_payment(started.client_secret, VISA))
        confirm = await system.hold_reached("payment_intents.confirm")
        await cancel(journey, hire_id)
        refund = await system.hold_reached("refunds.create")

        [charge] = await system.charges(started.hire)
        assert charge["amount_refunded"] == TOTAL
        await system.stack.kill("worker")
        assert system.stack.process("worker").pid is None
        assert (await system.hire(journey, hire_id)).state == RUNNING
        await system.release(refund)
        await system.release(confirm)
        assert await paying == "succeeded"
        await system.stack.start("worker")
        hire = await system.ended(journey, hire_id)

    assert (hire.state, hire.end_reason) == (UNDONE, "HIRE_CANCELLED")
    assert "payment_settled_paid" in await system.story(journey, hire_id)
    assert len(await system.refunds(charge["id"])) == 1
    assert (await contract_of(system, hire)).state == CANCELLED
    await assert_free(journey)
    await system.audited(hire_id)
