"""The hire through the whole system: separate processes, the real parts, Stripe's sandbox."""

import asyncio

import pytest

from deploy.local.journey import Journey, new_id
from deploy.local.proof import prove
from hireflow.hiring.v1 import hire_pb2
from hireflow.proposals.v1 import proposal_pb2
from tests.e2e.conftest import Hire, System
from tests.refusals import reason, refusal

NEEDS_CLIENT = hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION
NEEDS_METHOD = hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD
HIRED = hire_pb2.HIRE_STATE_HIRED
UNDONE = hire_pb2.HIRE_STATE_UNDONE
VISA = "pm_card_visa"
SECURE = "pm_card_authenticationRequired"
FAILING = "pm_card_chargeCustomerFail"


async def start(journey: Journey) -> hire_pb2.StartHireResponse:
    return await journey.start(await journey.start_request())


async def cancel(journey: Journey, hire_id: str) -> Hire:
    request = hire_pb2.CancelHireRequest(
        request_id=new_id(), hire_id=hire_id, reason="changed_mind"
    )
    return (await journey.employer.call(journey.services.hiring.CancelHire, request)).hire


async def review_state(journey: Journey) -> tuple[str, str]:
    request = proposal_pb2.GetProposalRequest(proposal_id=journey.proposal_id)
    seen = await journey.employer.call(journey.services.proposals.GetProposal, request)
    return proposal_pb2.ReviewState.Name(seen.proposal.review_state), seen.proposal.hire_id


async def assert_undone_and_free(system: System, journey: Journey, hire: Hire) -> None:
    assert (await system.net_charged(hire))[1] == 0
    assert await review_state(journey) == ("REVIEW_STATE_UNREVIEWED", "")


async def test_a_hire_with_a_good_card_is_proved_by_everyone_who_knows_of_it(
    system: System,
) -> None:
    journey = await system.proposed(VISA)
    unrelated = await system.proposed()
    started = await start(journey)
    steps = [told.step.what async for told in journey.watch(started.hire.hire_id)]
    assert steps == [
        "requested",
        "reserved",
        "contract_created",
        "payment_paid",
        "contract_activated",
        "thread_opened",
        "hired",
    ]
    proof = await prove(journey, system.sources, system.stack.data, started.hire.hire_id)
    assert proof.findings == []
    assert proof.charges == 1
    assert proof.charged == 50495
    told_of = {event.aggregate_id for event in proof.events}
    assert journey.job.job_id in told_of
    assert not {unrelated.job.job_id, unrelated.proposal_id} & told_of


async def test_a_card_that_needs_3d_secure_parks_the_hire_until_the_client_confirmed(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    assert started.hire.waiting_for == NEEDS_CLIENT
    assert started.hire.wait_deadline.seconds > 0
    await system.browser.authenticate(started.client_secret)
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, 50495)


async def test_a_declined_card_is_followed_by_a_good_one_on_the_same_intent(
    system: System,
) -> None:
    journey = await system.proposed()
    bad = await journey.save_card(system.browser, FAILING)
    good = await journey.save_card(system.browser, VISA)
    started = await journey.start(await journey.start_request(method_id=bad))
    assert started.hire.waiting_for == NEEDS_METHOD
    assert started.hire.decline_code
    request = hire_pb2.RetryPaymentRequest(
        request_id=new_id(), hire_id=started.hire.hire_id, payment_method_id=good
    )
    await journey.employer.call(journey.services.hiring.RetryPayment, request)
    hire = await system.ended(journey, started.hire.hire_id)
    assert hire.state == HIRED
    assert hire.payment_intent_id == started.hire.payment_intent_id
    assert await system.net_charged(hire) == (1, 50495)


async def test_a_cancel_before_the_pivot_undoes_everything_and_the_next_hire_succeeds(
    system: System,
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    await cancel(journey, started.hire.hire_id)
    first = await system.ended(journey, started.hire.hire_id)
    assert (first.state, first.end_reason) == (UNDONE, "HIRE_CANCELLED")
    await assert_undone_and_free(system, journey, first)
    await journey.save_card(system.browser, VISA)
    again = await start(journey)
    second = await system.ended(journey, again.hire.hire_id)
    assert second.state == HIRED
    assert second.hire_id != first.hire_id
    assert second.contract_id != first.contract_id
    assert await system.net_charged(second) == (1, 50495)


async def test_an_unpaid_hire_expires_at_its_deadline_and_is_undone(system: System) -> None:
    journey = await system.proposed(SECURE)
    async with system.hiring_with(payment_deadline=2.0) as take_over:
        take_over(journey)
        started = await start(journey)
        hire = await system.ended(journey, started.hire.hire_id)
    assert (hire.state, hire.end_reason) == (UNDONE, "PAYMENT_EXPIRED")
    await assert_undone_and_free(system, journey, hire)


async def test_a_worker_killed_after_stripe_charged_and_before_it_answered_charges_once(
    system: System,
) -> None:
    journey = await system.proposed(VISA)
    await system.fault(kind="commit_then_hang", operation="payment_intents.confirm")
    starting = asyncio.create_task(start(journey))
    hold = await system.hold_reached("payment_intents.confirm")
    pid = system.stack.process("worker").pid
    await system.stack.kill("worker")
    assert pid is not None
    assert system.stack.process("worker").pid is None
    listed = await journey.employer.call(
        journey.services.hiring.ListHires,
        hire_pb2.ListHiresRequest(proposal_id=journey.proposal_id),
    )
    assert [hire.state for hire in listed.hires] == [hire_pb2.HIRE_STATE_RUNNING]
    await system.release(hold)
    await system.stack.start("worker")
    await starting
    hire = await system.ended(journey, listed.hires[0].hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, 50495)


async def test_a_lost_webhook_is_made_up_by_reading(system: System) -> None:
    journey = await system.proposed(SECURE)
    async with system.hiring_with(payment_polls=(0.3,)) as take_over:
        take_over(journey)
        started = await start(journey)
        drop = {"kind": "drop", "event": "payment_intent.*", "times": 100}
        (await system.sandbox.post("/_sandbox/webhooks/faults", json=drop)).raise_for_status()
        try:
            await system.browser.authenticate(started.client_secret)
            hire = await system.ended(journey, started.hire.hire_id)
        finally:
            await system.sandbox.delete("/_sandbox/webhooks/faults")
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, 50495)


async def test_fifty_equal_start_hires_are_one_hire_and_fifty_equal_answers(
    system: System,
) -> None:
    journey = await system.proposed(VISA)
    request = await journey.start_request()
    answers = await asyncio.gather(*(journey.start(request) for _ in range(50)))
    assert len({answer.hire.hire_id for answer in answers}) == 1
    hire = await system.ended(journey, answers[0].hire.hire_id)
    assert hire.state == HIRED
    assert await system.net_charged(hire) == (1, 50495)


async def test_a_total_that_is_not_the_quotes_is_refused(system: System) -> None:
    journey = await system.proposed(VISA)
    request = await journey.start_request()
    request.expected_total_minor_units += 1
    assert await reason(journey.start(request)) == "QUOTE_CHANGED"


@pytest.mark.parametrize("kind", ["trainer", "operator", "service"])
async def test_who_may_not_hire_is_told_so(system: System, kind: str) -> None:
    request = hire_pb2.StartHireRequest(request_id=new_id(), proposal_id=new_id())
    told = await refusal(system.caller(kind).call(system.services.hiring.StartHire, request))
    assert told.reason == "CALLER_NOT_ALLOWED"
