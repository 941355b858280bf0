import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hireflow.hiring.v1 import hire_pb2
from hireflow.hiring.v1 import operations_pb2 as pb
from services.common.auth import Kind
from services.common.errors import Conflict, Refused
from tests.integration.hiring.world import Caller, World, new_id
from tests.refusals import reason, refusal
from workflows.hire.contract import DeadlineExtension, OperatorVerb
from workflows.hiring.domain import HireChanges, HireState, Stage, WaitingFor

ON = {name.removeprefix("HIRE_WAITS_ON_"): number for name, number in pb.HireWaitsOn.items()}

LATER = datetime.now(UTC) + timedelta(days=4)


def operator(world: World) -> Caller:
    return world.by(Kind.OPERATOR)


async def started(world: World, organisation_id: str) -> hire_pb2.Hire:
    return await world.start(world.payer(organisation_id), world.proposal(organisation_id))


async def paid(world: World, organisation_id: str) -> hire_pb2.Hire:
    """A hire that is paid and takes no further step."""
    hire = await started(world, organisation_id)
    draft = await world.fund(hire, 2)
    await world.pay(draft, 3)
    return hire


async def listed(
    world: World, caller: Caller, *waits_on: str, size: int = 200
) -> list[pb.StuckHire]:
    """Every page of the list."""
    found: list[pb.StuckHire] = []
    token = ""
    while True:
        request = pb.ListStuckHiresRequest(
            page_size=size, page_token=token, waits_on=[ON[each] for each in waits_on]
        )
        page = await world.operations.ListStuckHires(request, metadata=caller.metadata)
        assert len(page.hires) <= size
        found += page.hires
        token = page.next_page_token
        if not token:
            return found


async def ordered(
    world: World, caller: Caller, hire_id: str, verb: OperatorVerb, request_id: str = ""
) -> hire_pb2.Hire:
    fields: dict[str, Any] = {
        "request_id": request_id or new_id("r"),
        "hire_id": hire_id,
        "reason": "messaging_down",
    }
    stub = world.operations
    if verb is OperatorVerb.EXTEND_DEADLINE:
        extend = pb.ExtendHireDeadlineRequest(**fields)
        extend.wait_deadline.FromDatetime(LATER)
        return (await stub.ExtendHireDeadline(extend, metadata=caller.metadata)).hire
    if verb is OperatorVerb.RETRY_STEP:
        retry = pb.RetryHireStepRequest(**fields)
        return (await stub.RetryHireStep(retry, metadata=caller.metadata)).hire
    if verb is OperatorVerb.SKIP_THREAD:
        skip = pb.SkipHireThreadRequest(**fields)
        return (await stub.SkipHireThread(skip, metadata=caller.metadata)).hire
    refund = pb.RefundHireRequest(**fields)
    return (await stub.RefundHire(refund, metadata=caller.metadata)).hire


async def brought(world: World, count: int) -> None:
    async def there() -> bool:
        return len(world.stories.orders) >= count

    await world.until(there)


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        (OperatorVerb.RETRY_STEP, "retry_ordered"),
        (OperatorVerb.SKIP_THREAD, "thread_skipped"),
        (OperatorVerb.REFUND_IN_FULL, "refund_ordered"),
        (OperatorVerb.EXTEND_DEADLINE, "deadline_extended"),
    ],
)
async def test_an_order_is_answered_when_it_is_a_step_and_a_repeat_is_the_same_order(
    world: World, organisation_id: str, verb: OperatorVerb, what: str
) -> None:
    hire = await paid(world, organisation_id)
    olga, request_id, before = operator(world), new_id("r"), len(world.stories.orders)
    asking = asyncio.create_task(ordered(world, olga, hire.hire_id, verb, request_id))
    await brought(world, before + 1)
    told, key, given = world.stories.orders[-1]
    assert (told, given.reason, given.actor.id) == (verb, "messaging_down", olga.principal.id)
    assert isinstance(given, DeadlineExtension) is (verb is OperatorVerb.EXTEND_DEADLINE)
    assert request_id in key
    await world.step(
        hire.hire_id, 4, Stage.FUNDING, what=what, actor=olga.actor, reason="messaging_down"
    )
    answer = await asking
    assert answer.etag != hire.etag
    assert await ordered(world, olga, hire.hire_id, verb, request_id) == answer
    assert await ordered(world, olga, hire.hire_id, verb, request_id) == answer
    assert len(world.stories.orders) == before + 1


async def test_another_order_under_the_same_request_id_is_refused(
    world: World, organisation_id: str
) -> None:
    hire, olga, request_id = await paid(world, organisation_id), operator(world), new_id("r")
    world.stories.refusals[hire.hire_id] = Refused("WRONG_STATE", "not blocked")
    first = ordered(world, olga, hire.hire_id, OperatorVerb.RETRY_STEP, request_id)
    assert await reason(first) == "WRONG_STATE"
    other = ordered(world, olga, hire.hire_id, OperatorVerb.REFUND_IN_FULL, request_id)
    assert await reason(other) == "REQUEST_ID_REUSED"


async def test_an_order_is_refused_as_the_story_refuses_it(
    world: World, organisation_id: str
) -> None:
    hire, olga = await paid(world, organisation_id), operator(world)
    for error in (
        Refused("WRONG_STATE", "not blocked"),
        Refused("DEADLINE_OUT_OF_BOUNDS", "too late"),
        Conflict("HIRE_ENDING", "being undone"),
    ):
        world.stories.refusals[hire.hire_id] = error
        call = ordered(world, olga, hire.hire_id, OperatorVerb.EXTEND_DEADLINE)
        assert await reason(call) == error.reason


async def test_a_hire_that_ends_hired_before_its_refund_refuses_it(
    world: World, organisation_id: str
) -> None:
    hire, olga = await paid(world, organisation_id), operator(world)
    before = len(world.stories.orders)
    asking = asyncio.create_task(
        reason(ordered(world, olga, hire.hire_id, OperatorVerb.REFUND_IN_FULL))
    )
    await brought(world, before + 1)
    hired = HireChanges(state=HireState.HIRED)
    await world.step(hire.hire_id, 4, Stage.ENDED, what="hired", changes=hired)
    assert await asking == "WRONG_STATE"
    late = ordered(world, olga, hire.hire_id, OperatorVerb.REFUND_IN_FULL)
    assert await reason(late) == "WRONG_STATE"
    assert len(world.stories.orders) == before + 1


async def test_an_order_to_an_unknown_hire_or_without_sound_fields_is_refused(
    world: World, organisation_id: str
) -> None:
    olga = operator(world)
    unknown = ordered(world, olga, new_id("h"), OperatorVerb.SKIP_THREAD)
    assert await reason(unknown) == "NOT_FOUND"
    bad = pb.ExtendHireDeadlineRequest(reason="Because Jordan asked me to")
    told = await refusal(world.operations.ExtendHireDeadline(bad, metadata=olga.metadata))
    fields = [violation.field for violation in told.violations]
    assert fields == ["request_id", "hire_id", "reason", "wait_deadline"]


async def test_stuck_hires_are_told_with_whom_they_wait_on_and_what_comes_next(
    world: World, organisation_id: str
) -> None:
    client, bank, blocked, ours, moving = [await started(world, organisation_id) for _ in range(5)]
    await world.fund(client, 2)
    await world.fund(bank, 2)
    await world.step(bank.hire_id, 3, Stage.FUNDING, waiting_for=WaitingFor.BANK)
    changes = HireChanges(blocked_reason="NO_POSITION")
    await world.step(blocked.hire_id, 2, Stage.PROPOSAL_REVIEW, what="blocked", changes=changes)
    long_ago = datetime.now(UTC) - timedelta(minutes=3)
    await world.step(ours.hire_id, 2, Stage.PROPOSAL_REVIEW, what="reserved", time=long_ago)
    await world.step(moving.hire_id, 2, Stage.PROPOSAL_REVIEW, what="reserved")
    mine = {
        stuck.hire.hire_id: (
            pb.HireWaitsOn.Name(stuck.waits_on).removeprefix("HIRE_WAITS_ON_"),
            pb.HireNextAction.Name(stuck.next_action).removeprefix("HIRE_NEXT_ACTION_"),
        )
        for stuck in await listed(world, operator(world))
        if stuck.hire.organisation_id == organisation_id
    }
    assert mine == {
        client.hire_id: ("CLIENT", "UNDO_AT_DEADLINE"),
        bank.hire_id: ("PROVIDER", "READ_PAYMENT"),
        blocked.hire_id: ("OPERATOR", "UNSPECIFIED"),
        ours.hire_id: ("US", "RETRY_STEP"),
    }
    on_stripe = await listed(world, operator(world), "PROVIDER")
    assert {each.waits_on for each in on_stripe} == {pb.HIRE_WAITS_ON_PROVIDER}
    assert bank.hire_id in {each.hire.hire_id for each in on_stripe}


async def test_a_hire_whose_step_asks_stripe_waits_on_stripe(
    world: World, organisation_id: str
) -> None:
    hire = await started(world, organisation_id)
    long_ago = datetime.now(UTC) - timedelta(minutes=3)
    await world.step(
        hire.hire_id, 2, Stage.CONTRACT_CREATION, what="contract_created", time=long_ago
    )
    found = await listed(world, operator(world), "PROVIDER")
    (mine,) = [each for each in found if each.hire.hire_id == hire.hire_id]
    assert mine.next_action == pb.HIRE_NEXT_ACTION_RETRY_STEP
    assert mine.since.ToDatetime(UTC) == long_ago


async def test_the_age_of_a_wait_does_not_begin_anew_with_every_step(
    world: World, organisation_id: str
) -> None:
    hire = await started(world, organisation_id)
    draft = await world.fund(hire, 2)
    olga = operator(world)

    async def mine() -> pb.StuckHire:
        found = await listed(world, olga, "CLIENT")
        return next(each for each in found if each.hire.hire_id == hire.hire_id)

    first = await mine()
    deadline = datetime.now(UTC) + timedelta(days=4)
    await world.step(
        hire.hire_id,
        3,
        Stage.FUNDING,
        what="deadline_extended",
        waiting_for=WaitingFor.CLIENT_CONFIRMATION,
        wait_deadline=deadline,
    )
    second = await mine()
    assert second.since == first.since
    assert second.next_action_time.ToDatetime(UTC) == deadline
    await world.pay(draft, 4)
    assert all(each.hire.hire_id != hire.hire_id for each in await listed(world, olga, "CLIENT"))


async def test_pages_of_stuck_hires_show_each_once_the_longest_standing_first(
    world: World, organisation_id: str
) -> None:
    hires = [await started(world, organisation_id) for _ in range(5)]
    for hire in hires:
        await world.fund(hire, 2)
    olga = operator(world)
    whole = await listed(world, olga)
    assert whole == sorted(whole, key=lambda each: each.since.ToDatetime(UTC))
    paged = [each.hire.hire_id for each in await listed(world, olga, size=2)]
    assert [each for each in paged if each in {hire.hire_id for hire in hires}] == [
        hire.hire_id for hire in hires
    ]
    first = pb.ListStuckHiresRequest(page_size=1)
    token = (await world.operations.ListStuckHires(first, metadata=olga.metadata)).next_page_token
    other = pb.ListStuckHiresRequest(page_size=1, page_token=token, waits_on=[ON["US"]])
    call = world.operations.ListStuckHires(other, metadata=olga.metadata)
    assert await reason(call) == "INVALID_FIELDS"


async def test_the_list_reads_its_index_however_many_hires_have_ended(world: World) -> None:
    query = sa.text(
        "EXPLAIN SELECT hire_id FROM hiring.hire WHERE hiring.hire.state = 'RUNNING' "
        "AND waits_on = 'OPERATOR' AND (stands_since, hire_id) > (now(), '') "
        "ORDER BY stands_since, hire_id LIMIT 50"
    )
    async with world.hiring.database.begin() as tx:
        await tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await tx.execute(query)).scalars())
    assert "Index Only Scan using hire_standing" in plan or "Index Scan using hire_standing" in plan
    assert "Sort" not in plan


async def test_the_timeline_tells_the_same_events_as_the_outbox_in_business_words(
    world: World, organisation_id: str
) -> None:
    hire, olga = await paid(world, organisation_id), operator(world)
    changes = HireChanges(blocked_reason="WRONG_STATE")
    await world.step(hire.hire_id, 4, Stage.CONTRACT_ACTIVATION, what="blocked", changes=changes)
    await world.step(
        hire.hire_id,
        5,
        Stage.UNDOING,
        what="refund_ordered",
        actor=olga.actor,
        reason="client_asked",
    )
    ended = HireChanges(state=HireState.UNDONE, end_reason="HIRE_REFUNDED")
    await world.step(
        hire.hire_id,
        6,
        Stage.ENDED,
        what="undone",
        changes=ended,
        reason="HIRE_REFUNDED",
        refunded=True,
    )
    entries: list[pb.TimelineEntry] = []
    token = ""
    while True:
        request = pb.GetHireTimelineRequest(hire_id=hire.hire_id, page_size=4, page_token=token)
        page = await world.operations.GetHireTimeline(request, metadata=olga.metadata)
        entries += page.entries
        token = page.next_page_token
        if not token:
            break
    assert page.hire.end_reason == "HIRE_REFUNDED"
    told = [entry.event_type.removeprefix("hireflow.hiring.v1.hire.") for entry in entries]
    assert told == await world.events(hire.hire_id)
    assert [entry.what for entry in entries] == [
        "requested",
        "payment_action_needed",
        "payment_paid",
        "blocked",
        "refund_ordered",
        "undone",
    ]
    by_olga = entries[4]
    assert (by_olga.actor.id, by_olga.reason) == (olga.principal.id, "client_asked")
    assert by_olga.description == "Everything was to be given back."
    assert entries[1].wait_deadline.seconds > 0


@pytest.mark.parametrize("kind", [Kind.EMPLOYER, Kind.AGENT, Kind.TRAINER, Kind.SERVICE])
async def test_nobody_but_an_operator_may_see_or_order_anything(
    world: World, organisation_id: str, kind: Kind
) -> None:
    hire = await paid(world, organisation_id)
    belongs = kind in {Kind.EMPLOYER, Kind.AGENT}
    other = world.by(kind, organisation_id if belongs else None)
    stub, before = world.operations, len(world.stories.orders)
    story = pb.GetHireTimelineRequest(hire_id=hire.hire_id)
    calls: list[Awaitable[Any]] = [
        stub.ListStuckHires(pb.ListStuckHiresRequest(), metadata=other.metadata),
        stub.GetHireTimeline(story, metadata=other.metadata),
        *(ordered(world, other, hire.hire_id, verb) for verb in OperatorVerb),
    ]
    for call in calls:
        assert await reason(call) == "CALLER_NOT_ALLOWED"
    assert len(world.stories.orders) == before
