"""No worker runs for hours, and everybody goes on clicking."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc

from deploy.local.journey import Journey
from hireflow.hiring.v1 import hire_pb2
from tests.e2e.conftest import Hire, System
from tests.e2e.scenarios.acts import (
    BANK,
    HIRED,
    NEEDS_CLIENT,
    RUNNING,
    TOTAL,
    VISA,
    hires_of,
    start_for_client,
)
from tests.refusals import refusal

WINDOW_SECONDS = 3.0
TWICE = {"kind": "duplicate", "event": "payment_intent.succeeded"}
REORDERED = {"kind": "reorder", "event": "payment_intent.processing"}


@asynccontextmanager
async def answering(system: System, journey: Journey, hire_id: str) -> AsyncIterator[None]:
    """GetHire answers all the time; the first call that fails fails the block."""
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            assert (await system.hire(journey, hire_id)).hire_id == hire_id
            await asyncio.sleep(0.1)  # somebody who looks ten times a second

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask())
        yield
        over.set()


async def pay_by_bank(system: System, hire: Hire, secret: str) -> None:
    """A client pays meanwhile: its events come twice and in another order, and are stored."""
    intent = hire.payment_intent_id
    async with system.webhooks(TWICE, REORDERED):
        assert await system.browser.confirm_payment(secret, BANK) == "processing"
        window = f"/_sandbox/payment_intents/{intent}/settle"
        settled = await system.sandbox.post(window, json={"outcome": "succeed"})
        settled.raise_for_status()
    async with asyncio.timeout(60):
        while True:
            query = {"object": intent, "state": "delivered"}
            told = (await system.sandbox.get("/_sandbox/deliveries", params=query)).json()
            types = [each["type"].removeprefix("payment_intent.") for each in told["deliveries"]]
            if types.count("succeeded") == 2 and "processing" in types:
                return
            await asyncio.sleep(0.05)  # between two looks, bounded above


async def time_out(system: System, journey: Journey, request: hire_pb2.StartHireRequest) -> None:
    """Ask to hire; the answer does not come before the client gives up."""
    with system.stop_at("StartHire.after", journey.proposal_id) as stop:
        asking = journey.employer.call(journey.services.hiring.StartHire, request, seconds=5.0)
        told, _ = await asyncio.gather(refusal(asking), stop.reached())
    assert told.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_hire_asked_for_while_no_worker_runs_is_one_hire_parked_and_not_charged(
    system: System,
) -> None:
    """15. All workers down.

    StartHire times out at the client, 12 double clicks, webhooks stored, one twice, two reordered;
    three hours later the worker starts → one hire, parked, not charged; GetHire answered all the
    time.

    The webhooks are of another hire, whose client pays in these hours: a hire that no worker began
    has no intent that Stripe could tell of. The quarter of an hour in which a saved card may still
    be charged is three seconds here.
    """
    paying, journey = await system.proposed(), await system.proposed(VISA)
    started = await start_for_client(paying)
    async with system.hiring_with(saved_method_window=WINDOW_SECONDS, answer_wait=1.0) as take_over:
        take_over(journey)
        request = await journey.start_request()
        async with system.without("worker"):
            await time_out(system, journey, request)
            clicks = await asyncio.gather(*(journey.start(request) for _ in range(12)))
            [hire_id] = {click.hire.hire_id for click in clicks}
            async with answering(system, journey, hire_id):
                await pay_by_bank(system, started.hire, started.client_secret)
                moved = {"advance_seconds": 3 * 3600}
                (await system.sandbox.post("/_sandbox/clock", json=moved)).raise_for_status()
                begun = await system.hire(journey, hire_id)
                over = begun.create_time.ToDatetime(UTC) + timedelta(seconds=WINDOW_SECONDS)
                while datetime.now(UTC) <= over:  # noqa: ASYNC110 - only the clock tells
                    await asyncio.sleep(0.1)  # until the saved card may not be charged any more
            assert begun.state == RUNNING
        parked = await system.until(journey, hire_id, lambda hire: hire.waiting_for == NEEDS_CLIENT)
        assert [hire.hire_id for hire in await hires_of(journey)] == [hire_id]
        assert len(await system.intents(parked)) == 1
        assert await system.charges(parked) == []

    paid = await system.ended(paying, started.hire.hire_id)
    assert (paid.state, await system.net_charged(paid)) == (HIRED, (1, TOTAL))
    await system.audited(hire_id, paid.hire_id)
