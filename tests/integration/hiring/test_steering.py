import asyncio

from hireflow.hiring.v1 import hire_pb2
from services.common.auth import Kind
from services.common.errors import Conflict, Refused
from tests.integration.hiring.world import Caller, World, new_id
from tests.refusals import reason
from workflows.hiring.domain import HireChanges, Stage, WaitingFor


async def parked(world: World, organisation_id: str) -> tuple[Caller, hire_pb2.Hire]:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    return payer, hire


def retry(hire_id: str, request_id: str = "") -> hire_pb2.RetryPaymentRequest:
    return hire_pb2.RetryPaymentRequest(
        request_id=request_id or new_id("r"),
        hire_id=hire_id,
        client_confirms=hire_pb2.ClientConfirms(),
    )


def cancel(hire_id: str, request_id: str = "") -> hire_pb2.CancelHireRequest:
    return hire_pb2.CancelHireRequest(
        request_id=request_id or new_id("r"), hire_id=hire_id, reason="changed_mind"
    )


async def test_a_retry_answers_with_the_outcome_of_its_own_attempt(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    await world.fund(hire, 2)
    world.stories.retries.clear()
    request = retry(hire.hire_id)

    async def ask() -> hire_pb2.RetryPaymentResponse:
        return await world.patient.RetryPayment(request, metadata=payer.metadata)

    asking = asyncio.create_task(ask())

    async def brought() -> bool:
        return bool(world.stories.retries)

    await world.until(brought)
    await world.step(
        hire.hire_id,
        3,
        Stage.FUNDING,
        what="payment_declined",
        actor=payer.actor,
        waiting_for=WaitingFor.PAYMENT_METHOD,
        changes=HireChanges(decline_code="insufficient_funds"),
    )
    answer = await asking
    assert answer.hire.decline_code == "insufficient_funds"
    assert answer.client_secret != ""
    again = await world.stub.RetryPayment(request, metadata=payer.metadata)
    assert again.hire == answer.hire
    assert len({key for key, _ in world.stories.retries}) == 1


async def test_a_retry_of_what_is_paid_meanwhile_answers_paid(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    draft = await world.fund(hire, 2)
    await world.pay(draft, 3)
    answer = await world.stub.RetryPayment(retry(hire.hire_id), metadata=payer.metadata)
    assert answer.hire.charge_id == f"ch_{draft.funding_id}"
    assert answer.client_secret == ""


async def test_a_retry_is_refused_as_the_story_refuses_it(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    for error in (
        Conflict("PAYMENT_IN_PROGRESS", "an attempt is in flight"),
        Refused("PAYMENT_NOT_EXPECTED", "not yet"),
    ):
        world.stories.refusals[hire.hire_id] = error
        call = world.stub.RetryPayment(retry(hire.hire_id), metadata=payer.metadata)
        assert await reason(call) == error.reason
    await world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")
    call = world.stub.RetryPayment(retry(hire.hire_id), metadata=payer.metadata)
    assert await reason(call) == "PAYMENT_NOT_EXPECTED"


async def test_who_pays_again_the_moment_the_row_says_so_waits_for_the_story(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    await world.fund(hire, 2)
    before = len(world.stories.retries)
    in_flight = Conflict("PAYMENT_IN_PROGRESS", "the story has not heard of its own step yet")
    world.stories.refusals[hire.hire_id] = in_flight
    call = world.stub.RetryPayment(retry(hire.hire_id), metadata=payer.metadata)
    calling = asyncio.ensure_future(call)
    for _ in range(500):
        if hire.hire_id in world.stories.refused:
            break
        await asyncio.sleep(0.002)  # until the story refused it once
    del world.stories.refusals[hire.hire_id]
    answer = await calling
    assert answer.hire.hire_id == hire.hire_id
    assert len(world.stories.retries) == before + 1


async def test_a_cancel_is_answered_when_it_is_accepted_and_when_it_is_over(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    request = cancel(hire.hire_id)
    answer = await world.stub.CancelHire(request, metadata=payer.metadata)
    assert answer.hire.state == hire_pb2.HIRE_STATE_RUNNING
    assert world.stories.cancels[-1][1].actor.id == payer.principal.id
    await world.undo(hire.hire_id, 2, "HIRE_CANCELLED")
    for again in (request, cancel(hire.hire_id)):
        over = await world.stub.CancelHire(again, metadata=payer.metadata)
        assert over.hire.end_reason == "HIRE_CANCELLED"


async def test_an_agent_may_cancel_and_may_not_pay(world: World, organisation_id: str) -> None:
    _, hire = await parked(world, organisation_id)
    agent = world.by(Kind.AGENT, organisation_id)
    await world.stub.CancelHire(cancel(hire.hire_id), metadata=agent.metadata)
    paying = world.stub.RetryPayment(retry(hire.hire_id), metadata=agent.metadata)
    assert await reason(paying) == "CALLER_NOT_ALLOWED"


async def test_what_is_paid_or_ended_otherwise_cannot_be_cancelled(
    world: World, organisation_id: str
) -> None:
    payer, hire = await parked(world, organisation_id)
    world.stories.refusals[hire.hire_id] = Refused("PAST_PIVOT", "paid")
    call = world.stub.CancelHire(cancel(hire.hire_id), metadata=payer.metadata)
    assert await reason(call) == "PAST_PIVOT"
    await world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")
    call = world.stub.CancelHire(cancel(hire.hire_id), metadata=payer.metadata)
    assert await reason(call) == "WRONG_STATE"


async def test_another_organisations_hire_does_not_exist(
    world: World, organisation_id: str
) -> None:
    _, hire = await parked(world, organisation_id)
    stranger = world.payer(new_id("org"))
    for call in (
        world.stub.RetryPayment(retry(hire.hire_id), metadata=stranger.metadata),
        world.stub.CancelHire(cancel(hire.hire_id), metadata=stranger.metadata),
        world.get(stranger, hire.hire_id),
    ):
        assert await reason(call) == "NOT_FOUND"


async def test_approvals_are_not_offered_yet(world: World, organisation_id: str) -> None:
    payer, hire = await parked(world, organisation_id)
    approve = hire_pb2.ApproveHireRequest(
        request_id="r", hire_id=hire.hire_id, approval_id="a", etag="1"
    )
    decline = hire_pb2.DeclineHireRequest(
        request_id="r", hire_id=hire.hire_id, approval_id="a", etag="1"
    )
    for call in (
        world.stub.ApproveHire(approve, metadata=payer.metadata),
        world.stub.DeclineHire(decline, metadata=payer.metadata),
    ):
        assert await reason(call) == "APPROVAL_UNAVAILABLE"
