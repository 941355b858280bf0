"""Kill -9 while a cancelled hire is undone: refunded once, and everything is free again."""

import asyncio

import pytest

from tests.e2e.conftest import System
from tests.e2e.kills.instants import Instants, ended
from tests.e2e.scenarios.acts import UNDONE, assert_free

pytestmark = pytest.mark.timeout(300)  # a killed activity is given up after 40 s at the latest

STEPS = (
    "settle_payment",
    "refund_payment",
    "record_refunded_charge",
    "cancel_contract",
    "release",
)
UNDOING = [f"activity.{name}.{when}" for name in STEPS for when in ("before", "after")]


@pytest.mark.parametrize("victim", ["worker", "postgres", "temporal"])
async def test_a_kill_before_and_after_each_step_of_the_undoing_refunds_once_and_frees_all(
    system: System, victim: str
) -> None:
    async with Instants(system) as instants:
        held = await asyncio.gather(*(instants.undoing_at(point) for point in UNDOING))
        await instants.kill(victim, held, holds=victim == "worker")
    await system.stack.start(victim)
    for hire in await ended(system, held, UNDONE):
        charges, kept = await system.net_charged(hire)
        assert (charges <= 1, kept) == (True, 0)
    for each in held:
        await assert_free(each.journey)
