"""The plan of a chaos run: everything random comes from its seed."""

import pytest

from deploy.local.chaos.plan import FaultKind, HireKind, draw
from deploy.local.stack import PROCESSES


def test_a_seed_repeats_its_plan_and_another_seed_does_not() -> None:
    plan = draw(7, hires=50, faults=40, seconds=60)
    assert draw(7, hires=50, faults=40, seconds=60) == plan
    assert draw(8, hires=50, faults=40, seconds=60) != plan


@pytest.mark.parametrize("hires", [1, 2, 3, 20, 500])
def test_a_plan_has_as_many_hires_and_faults_as_asked_for(hires: int) -> None:
    plan = draw(1, hires=hires, faults=15, seconds=30)
    assert sum(each.hires for each in plan.hires) == hires
    assert len(plan.faults) == 15


def test_hires_and_faults_come_within_the_time_and_in_order() -> None:
    plan = draw(3, hires=100, faults=100, seconds=30)
    hires, faults = [each.at for each in plan.hires], [each.at for each in plan.faults]
    assert hires == sorted(hires)
    assert faults == sorted(faults)
    assert all(0 <= at <= 30 for at in hires + faults)


@pytest.mark.parametrize("seed", range(20))
def test_a_short_plan_already_has_every_kind_of_client_and_fault(seed: int) -> None:
    plan = draw(seed, hires=10, faults=5, seconds=10)
    assert {each.kind for each in plan.hires} == set(HireKind)
    assert {each.kind for each in plan.faults} == set(FaultKind)


def test_a_long_plan_kills_and_pauses_every_process() -> None:
    plan = draw(5, hires=500, faults=200, seconds=600)
    for kind in (FaultKind.KILL, FaultKind.PAUSE):
        assert {each.target for each in plan.faults if each.kind is kind} == set(PROCESSES)
