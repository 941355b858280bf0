"""What people order, with the API killed at each instant of the order; the same click comes again.

The instants: before the call's work, before and after the commit that claims its request, and
before its answer is sent.
"""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local.journey import new_id
from hireflow.hiring.v1 import hire_pb2, operations_pb2
from tests.e2e.conftest import System
from tests.e2e.kills.instants import killed_while
from tests.e2e.scenarios.acts import (
    FAILING,
    HIRED,
    NEEDS_CLIENT,
    NEEDS_METHOD,
    SECURE,
    TOTAL,
    UNDONE,
    VISA,
    assert_free,
    hires_of,
    start,
)

pytestmark = pytest.mark.timeout(240)
WHEN = ("before the work", "before the commit", "after the commit", "before the answer")


def instant(rpc: str, when: str, resource: str) -> tuple[str, str]:
    """The stop point and the part of its key at which a call of the rpc is held."""
    return {
        "before the work": (f"{rpc}.before", resource),
        "before the commit": ("commit.before", f"hiring during {rpc}.before"),
        "after the commit": ("commit.after", f"hiring during {rpc}.before"),
        "before the answer": (f"{rpc}.after", resource),
    }[when]


@pytest.mark.parametrize("when", WHEN)
async def test_a_hire_is_one_hire(system: System, when: str) -> None:
    journey = await system.proposed(VISA)
    request = await journey.start_request()
    point = instant("StartHire", when, journey.proposal_id)
    await killed_while(system, *point, lambda: journey.start(request))
    hire = (await journey.start(request)).hire
    assert (await system.ended(journey, hire.hire_id)).state == HIRED
    assert [each.hire_id for each in await hires_of(journey)] == [hire.hire_id]
    await system.audited(hire.hire_id)


@pytest.mark.parametrize("when", WHEN)
async def test_a_cancel_undoes_the_hire(system: System, when: str) -> None:
    journey = await system.proposed(SECURE)
    hire = (await start(journey)).hire
    assert hire.waiting_for == NEEDS_CLIENT
    request = hire_pb2.CancelHireRequest(
        request_id=new_id(), hire_id=hire.hire_id, reason="changed_mind"
    )

    async def cancel() -> hire_pb2.CancelHireResponse:
        return await journey.employer.call(journey.services.hiring.CancelHire, request)

    await killed_while(system, *instant("CancelHire", when, hire.hire_id), cancel)
    assert (await cancel()).hire.hire_id == hire.hire_id
    ended = await system.ended(journey, hire.hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_CANCELLED")
    assert await system.net_charged(ended) == (0, 0)
    await assert_free(journey)
    await system.audited(hire.hire_id)


@pytest.mark.parametrize("when", WHEN)
async def test_another_card_is_charged_once(system: System, when: str) -> None:
    journey = await system.proposed(FAILING)
    hire = (await start(journey)).hire
    assert hire.waiting_for == NEEDS_METHOD
    request = hire_pb2.RetryPaymentRequest(
        request_id=new_id(),
        hire_id=hire.hire_id,
        payment_method_id=await journey.save_card(system.browser, VISA),
    )

    async def pay() -> hire_pb2.RetryPaymentResponse:
        return await journey.employer.call(journey.services.hiring.RetryPayment, request)

    await killed_while(system, *instant("RetryPayment", when, hire.hire_id), pay)
    await pay()
    ended = await system.ended(journey, hire.hire_id)
    assert (ended.state, await system.net_charged(ended)) == (HIRED, (1, TOTAL))
    await system.audited(hire.hire_id)


@pytest.mark.parametrize("when", WHEN)
async def test_an_operators_refund_is_one_refund(system: System, when: str) -> None:
    journey = await system.proposed(VISA)
    operator = system.sources.operator
    with system.stop_at("activity.open_thread.before", journey.proposal_id) as thread:
        starting = asyncio.create_task(start(journey))
        await thread.reached()
        async with system.without("messaging", killed=True):
            thread.disarm()
            hire = (await starting).hire
            request = operations_pb2.RefundHireRequest(
                request_id=new_id(), hire_id=hire.hire_id, reason="client_asked"
            )

            async def refund() -> operations_pb2.RefundHireResponse:
                return await operator.call(system.services.operations.RefundHire, request)

            await killed_while(system, *instant("RefundHire", when, hire.hire_id), refund)
            assert (await refund()).hire.hire_id == hire.hire_id
            ended = await system.ended(journey, hire.hire_id)
    assert (ended.state, ended.end_reason) == (UNDONE, "HIRE_REFUNDED")
    assert await system.net_charged(ended) == (1, 0)
    assert [each["amount"] for each in await system.refunds(ended.charge_id)] == [TOTAL]
    await assert_free(journey)
    await system.audited(hire.hire_id)


@pytest.mark.parametrize("when", WHEN)
async def test_a_deadline_is_extended_to_the_moment_that_was_named(
    system: System, when: str
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    hire = started.hire
    operator = system.sources.operator
    later = Timestamp()
    later.FromDatetime(hire.wait_deadline.ToDatetime() + timedelta(hours=24))
    request = operations_pb2.ExtendHireDeadlineRequest(
        request_id=new_id(), hire_id=hire.hire_id, reason="client_asked", wait_deadline=later
    )

    async def extend() -> operations_pb2.ExtendHireDeadlineResponse:
        return await operator.call(system.services.operations.ExtendHireDeadline, request)

    await killed_while(system, *instant("ExtendHireDeadline", when, hire.hire_id), extend)
    assert (await extend()).hire.hire_id == hire.hire_id
    assert (await system.hire(journey, hire.hire_id)).wait_deadline == later
    await system.browser.authenticate(started.client_secret)
    assert (await system.ended(journey, hire.hire_id)).state == HIRED
    assert (await system.story(journey, hire.hire_id)).count("deadline_extended") == 1
    await system.audited(hire.hire_id)
