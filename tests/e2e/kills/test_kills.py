"""Kill -9 at named instants, before and after each effect: one of everything, or nothing.

Hires stand still at their instants, all at once, while a process dies; then it is started again.
"""

import asyncio
from itertools import chain

import asyncpg  # type: ignore[import-untyped] # it ships no types
import pytest

from tests.e2e.conftest import System
from tests.e2e.kills.instants import INSTANTS, UNDOING, Held, Instants, ended
from tests.e2e.scenarios.acts import HIRED, SECURE, TOTAL, UNDONE, assert_free, start

# A try that died with its process is given up after 40 s, where Stripe may take so long.
pytestmark = pytest.mark.timeout(300)

EFFECTS = {
    "proposals": ("ReserveProposal", "MarkHired"),
    "jobs": ("ReservePosition", "FillPosition"),
    "contracts": ("CreateContract", "ActivateContract"),
    "messaging": ("OpenJobThread",),
}
EFFECTS_BACK = {
    "contracts": ("RecordRefundedCharge", "CancelContract"),
    "jobs": ("ReleasePosition",),
    "proposals": ("ReleaseProposal",),
}
COMMITS = (
    ("jobs", "ReservePosition.before"),
    ("worker", "activity.take_payment.before"),
    ("contracts", "ActivateContract.before"),
    ("messaging", "OpenJobThread.before"),
    ("proposals", "MarkHired.before"),
)
COMMITS_BACK = (
    ("worker", "activity.settle_payment.before"),
    ("contracts", "CancelContract.before"),
    ("jobs", "ReleasePosition.before"),
    ("proposals", "ReleaseProposal.before"),
)


async def open_transactions(system: System) -> int:
    """How many sessions stand in a transaction, with nothing under way in it."""
    database = await asyncpg.connect(system.stack.addresses.postgres_url.replace("+asyncpg", ""))
    try:
        found = await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        )
    finally:
        await database.close()
    return int(found)


@pytest.mark.parametrize("victims", [["worker"], ["nats", "postgres", "temporal"]])
async def test_a_kill_before_and_after_each_step_forward_and_back_changes_no_end(
    system: System, victims: list[str]
) -> None:
    """Each victim is killed while all hires stand, and serves again before the next one is."""
    async with Instants(system) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at(INSTANTS), instants.undoings_at(UNDOING)
        )
        for victim in victims:
            await instants.kill(victim, [*forward, *back], holds=victim == "worker")
            if victim != "worker":
                await system.stack.start(victim)
    if "worker" in victims:
        await system.stack.start("worker")
    await ended(system, forward, HIRED)
    for hire in await ended(system, back, UNDONE):
        charges, kept = await system.net_charged(hire)
        assert charges <= 1
        assert kept == 0
    for each in back:
        await assert_free(each.journey)


async def test_services_are_killed_before_and_after_each_of_their_effects(system: System) -> None:
    async with Instants(system) as instants:
        held = {
            service: await instants.hires_at(
                [f"{rpc}.{when}" for rpc in effects for when in ("before", "after")]
            )
            for service, effects in EFFECTS.items()
        }
        for service, hires in held.items():
            await instants.kill(service, hires, holds=True)
    await asyncio.gather(*(system.stack.start(service) for service in EFFECTS))
    await ended(system, list(chain(*held.values())), HIRED)


async def test_services_are_killed_before_and_after_each_effect_of_an_undoing(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = {
            service: await instants.undoings_at(
                [f"{rpc}.{when}" for rpc in effects for when in ("before", "after")]
            )
            for service, effects in EFFECTS_BACK.items()
        }
        for service, hires in held.items():
            await instants.kill(service, hires, holds=True)
    await asyncio.gather(*(system.stack.start(service) for service in EFFECTS_BACK))
    undone = list(chain(*held.values()))
    for hire in await ended(system, undone, UNDONE):
        assert await system.net_charged(hire) == (1, 0)
    for each in undone:
        await assert_free(each.journey)


async def test_the_worker_is_killed_while_services_have_done_their_part_and_not_answered(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = await instants.hires_at([f"{rpc}.after" for rpc in chain(*EFFECTS.values())])
        await instants.kill("worker", held, holds=False)
    await system.stack.start("worker")
    await ended(system, held, HIRED)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_postgres_is_killed_around_a_commit_of_every_process(
    system: System, when: str
) -> None:
    async with Instants(system) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at([work for _, work in COMMITS]),
            instants.undoings_at([work for _, work in COMMITS_BACK]),
        )
        processes = [process for process, _ in (*COMMITS, *COMMITS_BACK)]
        held = await instants.at_commits([*forward, *back], processes, when)
        if when == "before":
            assert await open_transactions(system) >= len(held)
        await instants.kill("postgres", held, holds=False)
    await system.stack.start("postgres")
    await ended(system, forward, HIRED)
    await ended(system, back, UNDONE)


@pytest.mark.parametrize("victim", ["contracts", "nats"])
async def test_a_kill_between_publishing_and_marking_loses_no_event_and_doubles_none(
    system: System, victim: str
) -> None:
    async with Instants(system) as instants:
        published = instants.arm("relay.published", "contracts")
        # Held as soon as the contract's first event was published.
        held = await instants.hire_at("activity.create_contract.after")
        assert await published.reached() == system.stack.process("contracts").pid
        await instants.kill(victim, [held], holds=False)
    await system.stack.start(victim)
    await ended(system, [held], HIRED)


@pytest.mark.parametrize("victim", ["proposals", "nats"])
async def test_a_kill_between_an_effect_and_its_acknowledgement_loses_no_event_and_doubles_none(
    system: System, victim: str
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("activity.reserve.before")
        applied = instants.arm("consumer.applied", "proposals-jobs")
        position = instants.arm("activity.reserve.after", held.hire_id)
        held.stop.disarm()
        assert await applied.reached() == system.stack.process("proposals").pid
        await position.reached()
        await instants.kill(victim, [held], holds=False)
    await system.stack.start(victim)
    await ended(system, [held], HIRED)


@pytest.mark.parametrize(
    ("point", "part"), [("webhook.stored", "payment_intent.succeeded"), ("webhook.hinted", "pi_")]
)
async def test_the_webhook_is_killed_while_it_takes_the_success(
    system: System, point: str, part: str
) -> None:
    journey = await system.proposed(SECURE)
    started = await start(journey)
    async with Instants(system) as instants:
        # The story does not go on with the hint before the kill.
        instants.arm("activity.read_payment.before", started.hire.hire_id)
        held = Held(journey, started.hire.hire_id, instants.arm(point, part))
        await system.browser.authenticate(started.client_secret)
        await held.stop.reached()
        await instants.kill("hiring", [held], holds=True)
    await system.stack.start("hiring")
    await ended(system, [held], HIRED)


@pytest.mark.parametrize("operation", ["payment_intents.create", "payment_intents.confirm"])
async def test_the_payment_provider_is_killed_with_a_success_that_it_has_not_told(
    system: System, operation: str
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("activity.take_payment.before")
        await killed_before_it_answers(system, instants, operation, held)
    [hire] = await ended(system, [held], HIRED)
    assert await system.net_charged(hire) == (1, TOTAL)


@pytest.mark.parametrize(
    ("operation", "step", "charges"),
    [("payment_intents.cancel", "settle_payment", 0), ("refunds.create", "refund_payment", 1)],
)
async def test_the_payment_provider_is_killed_with_an_undoing_that_it_has_not_told(
    system: System, operation: str, step: str, charges: int
) -> None:
    async with Instants(system) as instants:
        held = await instants.undoing_at(f"activity.{step}.before")
        await killed_before_it_answers(system, instants, operation, held)
    [hire] = await ended(system, [held], UNDONE)
    assert await system.net_charged(hire) == (charges, 0)


async def killed_before_it_answers(
    system: System, instants: Instants, operation: str, held: Held
) -> None:
    """Kill the provider with a call's effect committed and not answered, and start it again."""
    await system.fault(kind="commit_then_hang", operation=operation)
    held.stop.disarm()
    await system.hold_reached(operation)
    await instants.kill("stripe", [held], holds=False)
    await system.stack.start("stripe")
