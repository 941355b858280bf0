import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from hireflow.hiring.v1 import hire_pb2
from services.common.auth import Kind
from tests.integration.hiring.world import World, new_id, start_request
from tests.refusals import reason, refusal
from workflows.hiring.domain import HireChanges, HireState, JobFacts, Stage
from workflows.hiring.store.tables import HIRE
from workflows.hiring.use_cases.starting import START_LEASE, start_missed


async def test_a_hire_is_told_as_it_was_asked_for(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    hire = await world.start(payer, proposal_id)
    assert hire.state == hire_pb2.HIRE_STATE_RUNNING
    assert hire.stage == hire_pb2.HIRE_STAGE_PROPOSAL_REVIEW
    assert hire.quote.total_minor_units == 50_495
    assert hire.milestone.name == "First batch"
    assert hire.requested_by.id == payer.principal.id
    assert hire.workflow_id == f"hire/{proposal_id}"
    given = world.stories.running[hire.hire_id]
    assert given.totals.total == 50_495
    assert given.payment.method_id is None
    assert given.env == "test"


async def test_fifty_starts_at_once_make_one_hire(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    hires = await asyncio.gather(*(world.start(payer, proposal_id) for _ in range(50)))
    assert len({hire.hire_id for hire in hires}) == 1
    assert world.stories.starts.count(hires[0].hire_id) == 1
    assert await world.events(hires[0].hire_id) == ["started"]
    assert len([key for key in world.provider.customers if organisation_id in key]) == 1


async def test_fifty_equal_requests_get_fifty_equal_answers(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    request = start_request(world.proposal(organisation_id))
    answers = await asyncio.gather(*(world.started(payer, request) for _ in range(50)))
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1


async def test_a_stale_request_sees_its_own_hire_and_leaves_the_newer_one_alone(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    first = start_request(proposal_id)
    old = (await world.started(payer, first)).hire
    await world.undo(old.hire_id, 2, "HIRE_CANCELLED")
    new = await world.start(payer, proposal_id, amount=50_000)
    assert new.hire_id != old.hire_id
    late = (await world.started(payer, first)).hire
    assert late.hire_id == old.hire_id
    assert late.end_reason == "HIRE_CANCELLED"
    told = (await world.get(payer, new.hire_id)).hire
    assert told.SerializeToString() == new.SerializeToString()


async def test_a_late_request_that_never_had_a_hire_touches_no_newer_one(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    early = start_request(proposal_id, amount=60_000, expected_total_minor_units=1)
    assert await reason(world.started(payer, early)) == "QUOTE_CHANGED"
    newer = await world.start(payer, proposal_id)
    assert await reason(world.started(payer, early)) == "NEWER_HIRE"
    assert (await world.get(payer, newer.hire_id)).hire.revision == 1


async def test_the_same_id_with_another_body_is_refused(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    await world.start(payer, proposal_id, request_id="once")
    other = start_request(proposal_id, amount=1_000, request_id="once")
    assert await reason(world.started(payer, other)) == "REQUEST_ID_REUSED"


async def test_the_answer_comes_as_soon_as_the_client_must_act(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    request = start_request(world.proposal(organisation_id))
    hire = (await world.started(payer, request)).hire
    asking = asyncio.create_task(world.told(payer, request))
    draft = await world.fund(hire, 2)
    answer = await asking
    assert answer.hire.waiting_for == hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION
    assert answer.client_secret == f"pi_{draft.funding_id}_secret"


async def test_the_client_secret_is_for_payers_who_must_act_and_for_nobody_else(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    assert (await world.get(payer, hire.hire_id)).client_secret == ""
    draft = await world.fund(hire, 2)
    assert (await world.get(payer, hire.hire_id)).client_secret != ""
    for other in (
        world.by(Kind.EMPLOYER, organisation_id),
        world.by(Kind.AGENT, organisation_id, "payer"),
        world.by(Kind.OPERATOR),
        world.by(Kind.SERVICE),
    ):
        assert (await world.get(other, hire.hire_id)).client_secret == ""
    await world.pay(draft, 3)
    assert (await world.get(payer, hire.hire_id)).client_secret == ""


@pytest.mark.parametrize(
    ("proposal", "job", "refused"),
    [
        ({"withdrawn": True}, {}, "PROPOSAL_WITHDRAWN"),
        ({"declined": True}, {}, "PROPOSAL_DECLINED"),
        ({"hired": True}, {}, "ALREADY_HIRED"),
        ({"hire_id": "another"}, {}, "HIRE_IN_PROGRESS"),
        ({}, {"open": False, "free_positions": 1}, "JOB_NOT_OPEN"),
        ({}, {"open": True, "free_positions": 0}, "NO_POSITION"),
    ],
)
async def test_what_cannot_be_hired_is_refused_by_name_and_nothing_is_created(
    world: World,
    organisation_id: str,
    proposal: dict[str, object],
    job: dict[str, Any],
    refused: str,
) -> None:
    proposal_id = world.proposal(organisation_id)
    job_id = world.neighbours.proposals[proposal_id].job_id
    world.neighbours.change(proposal_id, **proposal)
    if job:
        world.neighbours.jobs[job_id] = JobFacts(job_id, **job)
    payer = world.payer(organisation_id)
    assert await reason(world.start(payer, proposal_id)) == refused
    query = sa.select(sa.func.count()).where(HIRE.c.organisation_id == organisation_id)
    async with world.hiring.database.read() as connection:
        assert (await connection.execute(query)).scalar_one() == 0


async def test_a_declined_proposal_is_hired_by_who_confirms_it(
    world: World, organisation_id: str
) -> None:
    proposal_id = world.proposal(organisation_id)
    world.neighbours.change(proposal_id, declined=True)
    hire = await world.start(world.payer(organisation_id), proposal_id, confirm_declined=True)
    assert world.stories.running[hire.hire_id].confirm_declined


async def test_a_hire_that_took_the_last_position_is_attached_to_all_the_same(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    hire = await world.start(payer, proposal_id)
    job_id = world.neighbours.proposals[proposal_id].job_id
    world.neighbours.jobs[job_id] = JobFacts(job_id, open=False, free_positions=0)
    world.neighbours.change(proposal_id, hire_id=hire.hire_id)
    assert (await world.start(payer, proposal_id)).hire_id == hire.hire_id


async def test_what_the_reserving_step_refuses_the_start_refuses_also_on_its_repeat(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    request = start_request(world.proposal(organisation_id))
    hire = (await world.started(payer, request)).hire
    await world.undo(hire.hire_id, 2, "NO_POSITION")
    for _ in range(2):
        assert await reason(world.started(payer, request)) == "NO_POSITION"


async def test_a_hired_proposal_is_hired_already(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    hire = await world.start(payer, proposal_id)
    await world.pay(await world.fund(hire, 2), 3)
    await world.step(
        hire.hire_id, 4, Stage.ENDED, what="hired", changes=HireChanges(state=HireState.HIRED)
    )
    assert await reason(world.start(payer, proposal_id)) == "ALREADY_HIRED"


async def test_a_start_while_the_hire_is_being_undone_may_be_asked_again_when_it_ended(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    proposal_id = world.proposal(organisation_id)
    hire = await world.start(payer, proposal_id)
    await world.step(hire.hire_id, 2, Stage.UNDOING, what="contract_cancelled")
    again = start_request(proposal_id)
    assert await reason(world.started(payer, again)) == "HIRE_ENDING"
    await world.undo(hire.hire_id, 3, "HIRE_CANCELLED")
    assert (await world.started(payer, again)).hire.hire_id != hire.hire_id


async def test_an_agent_waits_for_approvals_and_learns_nothing_of_others(
    world: World, organisation_id: str
) -> None:
    agent = world.by(Kind.AGENT, organisation_id)
    own, foreign = world.proposal(organisation_id), world.proposal(new_id("org"))
    assert await reason(world.start(agent, own)) == "APPROVAL_UNAVAILABLE"
    assert await reason(world.start(agent, foreign)) == "NOT_FOUND"
    assert await reason(world.start(world.payer(organisation_id), foreign)) == "NOT_FOUND"
    member = world.by(Kind.EMPLOYER, organisation_id)
    assert await reason(world.start(member, own)) == "PAYER_ROLE_MISSING"
    for kind in (Kind.TRAINER, Kind.OPERATOR, Kind.SERVICE):
        assert await reason(world.start(world.by(kind), own)) == "CALLER_NOT_ALLOWED"


async def test_every_bad_field_is_named_at_once(world: World, organisation_id: str) -> None:
    bad = hire_pb2.StartHireRequest(payment_method_id="pm 1")
    bad.milestone.due_date.month = 13
    error = await refusal(world.started(world.payer(organisation_id), bad))
    assert error.reason == "INVALID_FIELDS"
    assert {violation.field for violation in error.violations} == {
        "request_id",
        "proposal_id",
        "milestone.name",
        "milestone.amount.minor_units",
        "milestone.amount.currency_code",
        "milestone.due_date",
        "expected_total_minor_units",
        "payment_method_id",
    }


async def test_a_start_that_was_lost_is_made_up_for_once(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    world.stories.down = True
    try:
        hire = await world.start(payer, world.proposal(organisation_id))
    finally:
        world.stories.down = False
    assert hire.hire_id not in world.stories.running
    assert await start_missed(world.desk) == 0
    earlier = HIRE.c.start_sent_at - 2 * START_LEASE
    async with world.hiring.database.begin() as tx:
        mine = HIRE.c.hire_id == hire.hire_id
        await tx.execute(sa.update(HIRE).where(mine).values(start_sent_at=earlier))

    async def started() -> bool:
        await start_missed(world.desk)
        return hire.hire_id in world.stories.running

    await world.until(started)
    assert world.stories.starts.count(hire.hire_id) == 1


async def test_a_quote_tells_every_condition(world: World, organisation_id: str) -> None:
    proposal_id = world.proposal(organisation_id)
    wanted = start_request(proposal_id)
    agent = world.by(Kind.AGENT, organisation_id)
    asked = hire_pb2.QuoteHireRequest(proposal_id=proposal_id, milestone=wanted.milestone)
    quote = await world.stub.QuoteHire(asked, metadata=agent.metadata)
    assert quote.quote.total_minor_units == 50_495
    assert {each.name: each.met for each in quote.preconditions} == {
        "job_open": True,
        "position_free": True,
        "proposal_hireable": True,
        "payment_method_present": False,
        "milestone_valid": True,
    }
    asked.milestone.amount.minor_units = 1
    asked.milestone.due_date.day = 32
    unquoted = await world.stub.QuoteHire(asked, metadata=agent.metadata)
    assert not unquoted.HasField("quote")
    assert unquoted.preconditions[-1].reason == "INVALID_FIELDS"
