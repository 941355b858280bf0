"""What fences a dead run off, and which hires a sweep finds."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from hireflow.hiring.v1 import hire_pb2
from services.common.errors import Refused
from tests.conftest import Infrastructure
from tests.integration.hiring.world import WORKER, World, funding_draft, new_id
from workflows.hire.contract import CleanUpInput
from workflows.hiring.domain import (
    FundingChange,
    FundingState,
    Hire,
    LateKind,
    Stage,
    StepRecord,
)
from workflows.hiring.runs import TemporalRuns
from workflows.hiring.use_cases.abandoned import (
    Forgotten,
    Left,
    Sweep,
    begin_contract,
    sweep,
    take_over_hire,
)
from workflows.hiring.use_cases.fundings import freeze_funding, save_intent
from workflows.hiring.use_cases.late_facts import close_funding

HOW = Sweep("test", timedelta(minutes=2), (timedelta(seconds=1),))


@dataclass
class Runs:
    """Which hires have no run, and whose clean-up was started."""

    dead: set[str]
    forgotten: set[str] = field(default_factory=set)
    cleaned: list[CleanUpInput] = field(default_factory=list)

    async def over(self, hire: Hire, before: datetime) -> int | None:
        await asyncio.sleep(0)
        if hire.hire_id in self.forgotten:
            raise Forgotten(hire.hire_id)
        return 100 if hire.hire_id in self.dead else None

    async def clean_up(self, given: CleanUpInput) -> None:
        await asyncio.sleep(0)
        self.cleaned.append(given)


async def started(world: World, organisation_id: str) -> hire_pb2.Hire:
    return await world.start(world.payer(organisation_id), world.proposal(organisation_id))


async def take_over(world: World, hire_id: str, number: int) -> Left | None:
    record = StepRecord(
        hire_id=hire_id,
        number=number,
        stage=Stage.UNDOING,
        what="taken_over",
        time=datetime.now(UTC),
        actor=WORKER,
        reason="HIRE_TERMINATED",
    )
    return await take_over_hire(world.hiring, record)


async def test_a_hire_that_was_taken_over_shows_what_it_left_however_often_it_is_asked(
    world: World, organisation_id: str
) -> None:
    hire = await started(world, organisation_id)
    draft = await world.fund(hire, 2)
    contract_id = new_id("contract")
    await begin_contract(
        world.hiring, hire.hire_id, 1, contract_id=contract_id, milestone_id=new_id("milestone")
    )
    for _ in range(2):
        left = await take_over(world, hire.hire_id, 50)
        assert left is not None
        assert left.hire.contract_id == contract_id
        assert [each.funding_id for each, _ in left.fundings] == [draft.funding_id]
    events = await world.events(hire.hire_id)
    assert events == ["started", "stage_changed", "stage_changed"]


async def test_after_the_take_over_the_dead_run_begins_and_writes_nothing_more(
    world: World, organisation_id: str
) -> None:
    hire = await started(world, organisation_id)
    await take_over(world, hire.hire_id, 50)
    assert not await world.step(hire.hire_id, 49, Stage.CONTRACT_CREATION)
    with pytest.raises(Refused, match="WRONG_STATE"):
        await begin_contract(
            world.hiring, hire.hire_id, 1, contract_id=new_id("c"), milestone_id=new_id("m")
        )
    with pytest.raises(Refused, match="PAYMENT_NOT_EXPECTED"):
        await freeze_funding(world.hiring, funding_draft(hire))


async def test_a_hire_that_ended_is_not_taken_over(world: World, organisation_id: str) -> None:
    hire = await started(world, organisation_id)
    await world.undo(hire.hire_id, 2, "HIRE_CANCELLED")
    assert await take_over(world, hire.hire_id, 50) is None
    assert (await world.events(hire.hire_id))[-1] == "cancelled"


async def test_a_sweep_cleans_up_after_quiet_hires_without_a_run_and_no_others(
    world: World, organisation_id: str
) -> None:
    dead, alive, ended, forgotten = [await started(world, organisation_id) for _ in range(4)]
    await world.undo(ended.hire_id, 2, "HIRE_CANCELLED")
    runs = Runs({dead.hire_id, ended.hire_id}, {forgotten.hire_id})
    assert dead.hire_id not in await sweep(
        world.hiring, runs, world.stories, HOW
    )  # not quiet for long enough
    later = replace(world.hiring, clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
    found = await sweep(later, runs, world.stories, HOW)
    assert dead.hire_id in found
    assert not {alive.hire_id, ended.hire_id, forgotten.hire_id} & set(found)
    (given,) = [each for each in runs.cleaned if each.hire_id == dead.hire_id]
    assert given.reached == 101


async def test_an_open_funding_of_an_undone_hire_is_looked_at_as_a_late_fact(
    world: World, organisation_id: str
) -> None:
    hire = await started(world, organisation_id)
    draft = await world.fund(hire, 2)
    await save_intent(world.hiring, draft.funding_id, f"pi_{draft.funding_id}")
    await world.undo(hire.hire_id, 3, "HIRE_CANCELLED")
    later = replace(world.hiring, clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
    for _ in range(2):
        await sweep(later, Runs(set()), world.stories, HOW)
    looked_at = (LateKind.INTENT, f"pi_{draft.funding_id}")
    assert world.stories.late_facts.count(looked_at) == 2
    await close_funding(world.hiring, FundingChange(draft.funding_id, FundingState.CANCELED))
    await sweep(later, Runs(set()), world.stories, HOW)
    assert world.stories.late_facts.count(looked_at) == 2


async def test_a_hire_of_which_temporal_has_no_word_is_forgotten_and_not_over(
    world: World, organisation_id: str, infrastructure: Infrastructure
) -> None:
    hire = await started(world, organisation_id)
    left = await take_over(world, hire.hire_id, 50)
    assert left is not None
    runs = TemporalRuns(await Client.connect(infrastructure.temporal_address))
    with pytest.raises(Forgotten):
        await runs.over(left.hire, datetime.now(UTC))
