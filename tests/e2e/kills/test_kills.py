"""Kill -9 at named instants, before and after each effect: one of everything, or nothing.

Hires stand still at their instants, all at once, while a process dies; then it is started again.
"""

import asyncio
from itertools import chain

import pytest

from tests.e2e.conftest import System
from tests.e2e.kills.instants import INSTANTS, UNDOING, Held, Instants, ended
from tests.e2e.scenarios.acts import HIRED, UNDONE, assert_free, hires_of, start

# A try that died with its process is given up after 40 s, where Stripe may take so long.
pytestmark = pytest.mark.timeout(300)

EFFECTS = {
    "proposals": ("ReserveProposal", "MarkHired"),
    "jobs": ("ReservePosition", "FillPosition"),
    "contracts": ("CreateContract", "ActivateContract"),
    "messaging": ("OpenJobThread",),
}


@pytest.mark.parametrize("victim", ["worker", "postgres", "nats", "temporal"])
async def test_a_kill_before_and_after_each_step_forward_and_back_changes_no_end(
    system: System, victim: str
) -> None:
    async with Instants(system) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at(INSTANTS), instants.undoings_at(UNDOING)
        )
        await instants.kill(victim, [*forward, *back], holds=victim == "worker")
    await system.stack.start(victim)
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


async def test_the_worker_is_killed_while_services_have_done_their_part_and_not_answered(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = await instants.hires_at([f"{rpc}.after" for rpc in chain(*EFFECTS.values())])
        await instants.kill("worker", held, holds=False)
    await system.stack.start("worker")
    await ended(system, held, HIRED)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_postgres_is_killed_around_the_commit_of_the_activation(
    system: System, when: str
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("ActivateContract.before")
        commit = instants.arm(f"commit.{when}", "contracts")
        held.stop.disarm()
        await commit.reached()
        await instants.kill("postgres", [held], holds=False)
    await system.stack.start("postgres")
    await ended(system, [held], HIRED)


@pytest.mark.parametrize("victim", ["contracts", "nats"])
async def test_a_kill_between_publishing_and_marking_loses_no_event_and_doubles_none(
    system: System, victim: str
) -> None:
    async with Instants(system) as instants:
        published = instants.arm("relay.published", "contracts")
        # Held as soon as the contract's first event was published.
        held = await instants.hire_at("activity.create_contract.after")
        await published.reached()
        await instants.kill(victim, [held], holds=False)
    await system.stack.start(victim)
    await ended(system, [held], HIRED)


async def test_a_consumer_is_killed_between_its_effect_and_its_acknowledgement(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("activity.reserve.before")
        applied = instants.arm("consumer.applied", "proposals-jobs")
        position = instants.arm("activity.reserve.after", held.hire_id)
        held.stop.disarm()
        pid = await applied.reached()
        assert pid == system.stack.process("proposals").pid
        await position.reached()
        await instants.kill("proposals", [held], holds=False)
    await system.stack.start("proposals")
    await ended(system, [held], HIRED)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_api_is_killed_around_the_commit_of_a_start_and_the_click_comes_again(
    system: System, when: str
) -> None:
    stack = system.stack
    journey = await system.proposed("pm_card_visa")
    request = await journey.start_request()
    with system.stop_at(f"commit.{when}", "hiring") as commit:
        starting = asyncio.create_task(journey.start(request))
        assert await commit.reached() == stack.process("hiring").pid
        await stack.kill("hiring")
        await asyncio.gather(starting, return_exceptions=True)  # told that the API is away
        assert starting.exception() is not None
    await stack.start("hiring")
    hire_id = (await journey.start(request)).hire.hire_id
    await ended(system, [Held(journey, hire_id, commit)], HIRED)
    assert [hire.hire_id for hire in await hires_of(journey)] == [hire_id]


@pytest.mark.parametrize("point", ["webhook.stored", "webhook.hinted"])
async def test_the_webhook_is_killed_while_it_takes_the_success(system: System, point: str) -> None:
    journey = await system.proposed("pm_card_authenticationRequired")
    started = await start(journey)
    async with Instants(system) as instants:
        # The story does not go on with the hint before the kill.
        instants.arm("activity.read_payment.before", started.hire.hire_id)
        held = Held(journey, started.hire.hire_id, instants.arm(point, ""))
        await system.browser.authenticate(started.client_secret)
        await held.stop.reached()
        await instants.kill("hiring", [held], holds=True)
    await system.stack.start("hiring")
    await ended(system, [held], HIRED)


async def test_the_payment_provider_is_killed_with_a_success_that_it_has_not_told(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("activity.take_payment.before")
        await system.fault(kind="commit_then_hang", operation="payment_intents.confirm")
        held.stop.disarm()
        await system.hold_reached("payment_intents.confirm")
        await instants.kill("stripe", [held], holds=False)
    await system.stack.start("stripe")
    [hire] = await ended(system, [held], HIRED)
    assert await system.net_charged(hire) == (1, 50495)
