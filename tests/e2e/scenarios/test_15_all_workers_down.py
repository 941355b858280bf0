"""No worker runs for hours: people click, webhooks come, and nothing is lost or doubled."""

import asyncio

import grpc
import pytest

from tests.e2e.conftest import System
from tests.e2e.scenarios.acts import HIRED, NEEDS_CLIENT, RUNNING, SECURE, VISA, hires_of, start

pytestmark = pytest.mark.timeout(240)
TWICE = {"kind": "duplicate", "event": "payment_intent.succeeded", "times": 1}
REORDERED = {"kind": "reorder", "event": "payment_intent.*", "times": 2}


async def test_clicks_and_webhooks_while_no_worker_runs_are_one_hire_that_is_not_charged(
    system: System,
) -> None:
    """15. All workers down.

    StartHire times out at the client, 12 double clicks, webhooks stored, one twice, two reordered;
    three hours later the worker starts → one hire, parked, not charged; GetHire answered all the
    time.

    The quarter of an hour in which a saved card may be charged is one second here, and so over
    when the worker starts. The webhooks are those of another hire, whose client pays meanwhile.
    """
    paying = await system.proposed(SECURE)
    waiting = await start(paying)
    journey = await system.proposed(VISA)
    request = await journey.start_request()
    async with system.hiring_with(saved_method_window=1.0, answer_wait=8.0) as take_over:
        take_over(journey)
        async with system.worker_off(), system.webhooks(TWICE, REORDERED):
            with system.stop_at("StartHire.after", request.request_id) as answering:
                start_hire = journey.services.hiring.StartHire
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await journey.employer.call(start_hire, request, seconds=3)
                await answering.reached()
            assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            clicks = [asyncio.create_task(journey.start(request)) for _ in range(12)]
            await system.browser.authenticate(waiting.client_secret)
            [hire] = await hires_of(journey)
            assert (await system.hire(journey, hire.hire_id)).state == RUNNING
            answers = await asyncio.gather(*clicks)
            assert {answer.hire.hire_id for answer in answers} == {hire.hire_id}
            assert (await system.hire(journey, hire.hire_id)).state == RUNNING
        parked = await system.until(
            journey, hire.hire_id, lambda now: now.waiting_for == NEEDS_CLIENT
        )
        assert await system.net_charged(parked) == (0, 0)
        assert [each.hire_id for each in await hires_of(journey)] == [hire.hire_id]

        answer = await journey.start(request)
        assert await system.browser.confirm_payment(answer.client_secret, VISA) == "succeeded"
        assert (await system.ended(journey, hire.hire_id)).state == HIRED
    other = await system.ended(paying, waiting.hire.hire_id)
    assert other.state == HIRED
    await system.audited(hire.hire_id, other.hire_id)
