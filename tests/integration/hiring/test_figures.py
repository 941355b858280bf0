"""What is told of running hires: where they stand, and which of them are stuck."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.common.metrics import Gauge
from tests.integration.hiring.world import World
from workflows.hiring.domain import HireChanges, Stage, WaitingFor
from workflows.hiring.figures import RUNNING, STUCK, HireFigures

NOW = datetime.now(UTC)
Told = dict[tuple[object, ...], float]


async def told(world: World, gauge: Gauge, *labels: str) -> Told:
    hiring = replace(world.hiring, clock=lambda: NOW)
    figures = await HireFigures(hiring).read()
    return {
        tuple((each.attributes or {})[label] for label in labels): each.value
        for each in figures[gauge]
    }


async def stuck(world: World) -> Told:
    return await told(world, STUCK, "hireflow.cause")


def rise(before: Told, after: Told) -> Told:
    return {
        key: value - before.get(key, 0)
        for key, value in after.items()
        if before.get(key, 0) != value
    }


async def test_a_stuck_hire_is_told_once_by_its_cause(world: World, organisation_id: str) -> None:
    payer = world.payer(organisation_id)
    hires = [await world.start(payer, world.proposal(organisation_id)) for _ in range(5)]
    before = await stuck(world)
    blocked, overdue, silent, waiting, ended = (hire.hire_id for hire in hires)
    long_ago = NOW - timedelta(hours=1)
    await world.step(
        blocked,
        2,
        Stage.CONTRACT_ACTIVATION,
        time=long_ago,
        wait_deadline=long_ago,
        changes=HireChanges(blocked_reason="NOT_FOUND"),
    )
    parked = {"waiting_for": WaitingFor.CLIENT_CONFIRMATION, "time": long_ago}
    await world.step(overdue, 2, Stage.FUNDING, wait_deadline=NOW - timedelta(minutes=3), **parked)
    await world.step(waiting, 2, Stage.FUNDING, wait_deadline=NOW + timedelta(hours=1), **parked)
    await world.step(silent, 2, Stage.CONTRACT_CREATION, time=long_ago)
    await world.undo(ended, 2, "STAGE_TIMED_OUT")
    assert rise(before, await stuck(world)) == {("blocked",): 1, ("overdue",): 1, ("silent",): 1}


async def test_running_hires_are_told_by_stage_and_by_what_they_wait_for(
    world: World, organisation_id: str
) -> None:
    labels = ("hireflow.hire.stage", "hireflow.hire.waiting_for")
    payer = world.payer(organisation_id)
    before = await told(world, RUNNING, *labels)
    first, second, third = [
        await world.start(payer, world.proposal(organisation_id)) for _ in range(3)
    ]
    await world.fund(first, 2)
    await world.step(second.hire_id, 2, Stage.CONTRACT_CREATION)
    await world.undo(third.hire_id, 2, "STAGE_TIMED_OUT")
    assert rise(before, await told(world, RUNNING, *labels)) == {
        (Stage.FUNDING, WaitingFor.CLIENT_CONFIRMATION): 1,
        (Stage.CONTRACT_CREATION, "NOBODY"): 1,
    }
