"""Kill -9 on the way to HIRED, before and after each effect: one charge, one of everything."""

import asyncio

import pytest

from tests.e2e.conftest import System
from tests.e2e.kills.instants import INSTANTS, Held, Instants, ended
from tests.e2e.scenarios.acts import HIRED, hires_of, start

pytestmark = pytest.mark.timeout(300)  # a killed activity is given up after 40 s at the latest

EFFECTS = {
    "proposals": ("ReserveProposal", "MarkHired"),
    "jobs": ("ReservePosition", "FillPosition"),
    "contracts": ("CreateContract", "ActivateContract"),
    "messaging": ("OpenJobThread",),
}


async def test_the_worker_is_killed_before_and_after_each_of_its_six_steps(system: System) -> None:
    async with Instants(system) as instants:
        held = await instants.hires_at(INSTANTS)
        await instants.kill("worker", held, holds=True)
    await system.stack.start("worker")
    await ended(system, held, HIRED)


@pytest.mark.parametrize("service", EFFECTS)
async def test_a_service_is_killed_before_and_after_each_of_its_effects(
    system: System, service: str
) -> None:
    points = [f"{rpc}.{when}" for rpc in EFFECTS[service] for when in ("before", "after")]
    async with Instants(system) as instants:
        held = await instants.hires_at(points)
        await instants.kill(service, held, holds=True)
    await system.stack.start(service)
    await ended(system, held, HIRED)


@pytest.mark.parametrize("service", EFFECTS)
async def test_the_worker_is_killed_while_a_service_has_done_its_part_and_not_answered(
    system: System, service: str
) -> None:
    async with Instants(system) as instants:
        held = await instants.hires_at([f"{rpc}.after" for rpc in EFFECTS[service]])
        await instants.kill("worker", held, holds=False)
    await system.stack.start("worker")
    await ended(system, held, HIRED)


@pytest.mark.parametrize("server", ["postgres", "nats", "temporal"])
async def test_a_server_is_killed_while_hires_stand_before_and_after_each_of_their_six_steps(
    system: System, server: str
) -> None:
    async with Instants(system) as instants:
        held = await instants.hires_at(INSTANTS)
        await instants.kill(server, held, holds=False)
    await system.stack.start(server)
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
