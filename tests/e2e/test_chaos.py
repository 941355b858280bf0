"""A short `hireflow chaos`, and the proof that its verdict can be another."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.audit import Sources
from deploy.local.chaos import conclude
from deploy.local.chaos.plan import FaultKind, HireKind, draw
from deploy.local.chaos.storm import Outcome, Scene, open_scene, rage
from deploy.local.chaos.view import View
from deploy.local.forking import ForkServer
from hireflow.hiring.v1 import hire_pb2

SEED = 9


async def a_hired_one(sources: Sources, outcome: Outcome) -> hire_pb2.Hire:
    simple = [each for each in outcome.cases if each.planned.kind is HireKind.GOOD_CARD]
    for case in simple:
        request = hire_pb2.ListHiresRequest(
            organisation_id=case.organisation_id, states=[hire_pb2.HIRE_STATE_HIRED]
        )
        listed = await sources.operator.call(sources.services.hiring.ListHires, request)
        if listed.hires:
            return listed.hires[0]
    raise AssertionError("nobody was hired")


async def charge_again(scene: Scene, outcome: Outcome) -> str:
    """Charge the employer of a HIRED hire a second time, behind everybody's back; its id."""
    async with scene.sources() as sources:
        hire = await a_hired_one(sources, outcome)
        charged = await sources.stripe.post(
            "/v1/payment_intents",
            data={
                "amount": str(hire.quote.total_minor_units),
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "automatic_payment_methods[enabled]": "true",
                "automatic_payment_methods[allow_redirects]": "never",
                "confirm": "true",
                "metadata[workflow_id]": hire.workflow_id,
                "transfer_group": hire.contract_id,
            },
        )
        assert charged.raise_for_status().json()["status"] == "succeeded"
        return hire.hire_id


@pytest.mark.timeout(300)  # restarting Python processes is slow where others keep the cores busy
async def test_hires_under_faults_are_found_faultless_until_one_is_charged_twice(
    tmp_path: Path, forks: ForkServer
) -> None:
    plan = draw(SEED, hires=12, faults=15, seconds=10)
    told = StringIO()
    view = View(Console(file=told, width=200))
    async with open_scene(tmp_path, plan, view, forks) as scene:
        outcome = await rage(scene, plan, view)
        first = StringIO()
        assert await conclude(scene, outcome, view, Console(file=first)) == 0, told.getvalue()
        twice = await charge_again(scene, outcome)
        second = StringIO()
        assert await conclude(scene, outcome, view, Console(file=second), catch_up=0.0) == 1
    verdict = json.loads(first.getvalue())
    assert {each.planned.kind for each in outcome.cases} == set(HireKind)
    assert {each.planned.kind for each in outcome.faults.inflicted} == set(FaultKind)
    assert verdict["faults"]["inflicted"] == 15
    assert verdict["hires"]["under_way_during_a_fault"] > 0
    assert verdict["hires"]["ends"]["HIRED"] > 0
    assert verdict["findings"] == []
    doctored = json.loads(second.getvalue())
    assert (doctored["ok"], doctored["seed"]) == (False, SEED)
    assert {each["kind"] for each in doctored["findings"]} >= {"DOUBLED", "LEDGER"}
    assert {each["hire_id"] for each in doctored["findings"]} == {twice}
    assert any("payment_paid" in step for step in doctored["first"]["steps"])
