import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from hireflow.hiring.v1 import hire_pb2
from services.common.auth import Kind
from services.common.paging import Cursor
from tests.integration.hiring.world import Caller, World, new_id
from tests.plans import plan_without
from tests.refusals import reason, refusal
from workflows.hiring.domain import HireState, Stage
from workflows.hiring.store import hires
from workflows.hiring.store.hires import Wanted


async def watched(
    world: World, caller: Caller, hire_id: str, token: str = ""
) -> list[hire_pb2.WatchHireResponse]:
    request = hire_pb2.WatchHireRequest(hire_id=hire_id, resume_token=token)
    return [told async for told in world.stub.WatchHire(request, metadata=caller.metadata)]


async def test_a_watcher_hears_the_story_to_its_end_and_resumes_without_gap_or_repeat(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    watching = asyncio.create_task(watched(world, payer, hire.hire_id))
    for number in (2, 4, 5):
        await world.step(hire.hire_id, number, Stage.FUNDING, what=f"step_{number}")
    await world.undo(hire.hire_id, 6, "PAYMENT_EXPIRED")
    story = await watching
    assert [told.step.number for told in story] == [1, 2, 4, 5, 6]
    assert story[0].step.what == "requested"
    assert story[0].step.actor.id == payer.principal.id
    assert story[-1].hire.state == hire_pb2.HIRE_STATE_UNDONE
    for index, told in enumerate(story):
        rest = await watched(world, payer, hire.hire_id, told.resume_token)
        assert [each.step for each in rest] == [each.step for each in story[index + 1 :]]


async def test_the_last_step_is_told_with_the_hire_as_it_ended(
    world: World, organisation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    steps_after = hires.steps_after
    ending = [world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")]

    async def ends_meanwhile(*asked: Any) -> Any:
        while ending:
            await ending.pop()
        return await steps_after(*asked)

    monkeypatch.setattr(hires, "steps_after", ends_meanwhile)
    last = (await watched(world, payer, hire.hire_id))[-1]
    assert (last.step.number, last.hire.state) == (2, hire_pb2.HIRE_STATE_UNDONE)


async def test_a_resume_token_of_another_caller_is_refused(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    hire = await world.start(payer, world.proposal(organisation_id))
    await world.undo(hire.hire_id, 2, "PAYMENT_EXPIRED")
    token = (await watched(world, payer, hire.hire_id))[0].resume_token
    other = world.payer(organisation_id)
    assert await reason(watched(world, other, hire.hire_id, token)) == "INVALID_FIELDS"
    stranger = world.payer(new_id("org"))
    assert await reason(watched(world, stranger, hire.hire_id)) == "NOT_FOUND"


async def test_a_list_is_paged_newest_first_while_hires_begin(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    asked = [world.proposal(organisation_id) for _ in range(5)]
    begun = [(await world.start(payer, proposal_id)).hire_id for proposal_id in asked]
    seen: list[str] = []
    request = hire_pb2.ListHiresRequest(page_size=2)
    while True:
        page = await world.stub.ListHires(request, metadata=payer.metadata)
        seen += [hire.hire_id for hire in page.hires]
        if not page.next_page_token:
            break
        await world.start(payer, world.proposal(organisation_id))
        request.page_token = page.next_page_token
    assert seen == list(reversed(begun))


async def test_a_list_is_filtered_by_job_proposal_and_state(
    world: World, organisation_id: str
) -> None:
    payer = world.payer(organisation_id)
    one = await world.start(payer, world.proposal(organisation_id))
    two = await world.start(payer, world.proposal(organisation_id))
    await world.undo(two.hire_id, 2, "PAYMENT_EXPIRED")
    for request, expected in (
        (hire_pb2.ListHiresRequest(job_id=one.job_id), {one.hire_id}),
        (hire_pb2.ListHiresRequest(proposal_id=two.proposal_id), {two.hire_id}),
        (hire_pb2.ListHiresRequest(states=[hire_pb2.HIRE_STATE_UNDONE]), {two.hire_id}),
        (hire_pb2.ListHiresRequest(states=[hire_pb2.HIRE_STATE_HIRED]), set[str]()),
    ):
        page = await world.stub.ListHires(request, metadata=payer.metadata)
        assert {hire.hire_id for hire in page.hires} == expected


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted("o", "", "", ()), "hire_by_organisation"),
        (Wanted("o", "", "", (HireState.RUNNING,)), "hire_by_organisation"),
        (Wanted("o", "j", "", (HireState.RUNNING,)), "hire_by_job"),
    ],
)
async def test_a_list_reads_one_range_of_its_index_per_state(
    world: World, wanted: Wanted, index: str
) -> None:
    query = hires.told_query(wanted, Cursor(50, (datetime.now(UTC), "h"), ""))
    listing = {"hire_by_organisation", "hire_by_job", "hire_by_proposal"} - {index}
    others = [f"hiring.{each}" for each in sorted(listing)]
    plan = await plan_without(world.hiring.database, query, others)
    scans = len(wanted.states or HireState)
    assert plan.count(f"using {index} ") == scans
    conditions = [line for line in plan.splitlines() if "Index Cond: " in line]
    told = [each for each in conditions if "(state = " in each and "(ROW(create_time" in each]
    assert len(told) == scans


async def test_a_list_is_asked_for_a_bounded_number_of_states(
    world: World, organisation_id: str
) -> None:
    request = hire_pb2.ListHiresRequest(states=[hire_pb2.HIRE_STATE_UNSPECIFIED] * 10_000)
    metadata = world.payer(organisation_id).metadata
    error = await refusal(world.stub.ListHires(request, metadata=metadata))
    fields = [each.field for each in error.violations]
    assert fields == ["states", *(f"states[{at}]" for at in range(50))]


async def test_operators_name_the_organisation_and_strangers_find_none(
    world: World, organisation_id: str
) -> None:
    hire = await world.start(world.payer(organisation_id), world.proposal(organisation_id))
    operator = world.by(Kind.OPERATOR)
    assert (await world.get(operator, hire.hire_id)).hire.hire_id == hire.hire_id
    named = hire_pb2.ListHiresRequest(organisation_id=organisation_id)
    page = await world.stub.ListHires(named, metadata=operator.metadata)
    assert [each.hire_id for each in page.hires] == [hire.hire_id]
    unnamed = world.stub.ListHires(hire_pb2.ListHiresRequest(), metadata=operator.metadata)
    assert await reason(unnamed) == "INVALID_FIELDS"
    stranger = world.payer(new_id("org"))
    assert await reason(world.stub.ListHires(named, metadata=stranger.metadata)) == "NOT_FOUND"


@pytest.mark.parametrize("method", ["GetHire", "WatchHire", "ListHires", "QuoteHire"])
async def test_a_trainer_reads_no_hires(world: World, method: str) -> None:
    trainer = world.by(Kind.TRAINER)
    request = getattr(hire_pb2, f"{method}Request")()
    call = getattr(world.stub, method)(request, metadata=trainer.metadata)
    assert await reason(call.read() if method == "WatchHire" else call) == "CALLER_NOT_ALLOWED"
