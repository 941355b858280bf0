"""Kill -9 at named instants, before and after each effect: one of everything, or nothing.

Hires stand still at their instants, all at once, while a process dies; then it is started again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain, islice

import asyncpg
import pytest

from tests.e2e.conftest import System
from tests.e2e.kills.instants import INSTANTS, UNDOING, Held, Instants, ended
from tests.e2e.scenarios.acts import HIRED, SECURE, TOTAL, UNDONE, assert_free, start
from tests.stops import Stop

# Of two dozen hires each is made again after a kill, one after the other.
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


async def test_a_kill_before_and_after_each_step_forward_and_back_changes_no_end(
    system: System,
) -> None:
    """Each victim is killed while all hires stand, and serves again before the next one is.

    The worker is the first: its next tries stand at the same instants when the others are killed.
    """
    async with Instants(system) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at(INSTANTS), instants.undoings_at(UNDOING)
        )
        for victim in ("worker", "nats", "postgres", "temporal"):
            await instants.stand([*forward, *back])
            await instants.kill(victim, [*forward, *back], holds=victim == "worker")
            await system.stack.start(victim)
    await ended(system, forward, HIRED)
    for hire in await ended(system, back, UNDONE):
        charges, kept = await system.net_charged(hire)
        assert charges <= 1
        assert kept == 0
    for each in back:
        await assert_free(each.journey)


async def test_services_are_killed_before_and_after_each_of_their_effects_and_then_the_worker(
    system: System,
) -> None:
    """The worker is killed when services have done their part again and have not answered."""
    async with Instants(system) as instants:
        before = await instants.hires_at([f"{rpc}.before" for rpc in chain(*EFFECTS.values())])
        after = await killed_around(system, instants, EFFECTS, before)
        await instants.stand(after)
        await instants.kill("worker", after, holds=False)
    await system.stack.start("worker")
    await ended(system, after, HIRED)


async def test_services_are_killed_before_and_after_each_effect_of_an_undoing(
    system: System,
) -> None:
    async with Instants(system) as instants:
        points = [f"{rpc}.before" for rpc in chain(*EFFECTS_BACK.values())]
        before = await instants.undoings_at(points)
        undone = await killed_around(system, instants, EFFECTS_BACK, before)
    for hire in await ended(system, undone, UNDONE):
        assert await system.net_charged(hire) == (1, 0)
    for each in undone:
        await assert_free(each.journey)


async def killed_around(
    system: System,
    instants: Instants,
    effects: Mapping[str, Sequence[str]],
    before: Sequence[Held],
) -> list[Held]:
    """Kill services while a hire stands before each of their effects, then after each."""
    rpcs = list(chain(*effects.values()))
    await kill_all(system, instants, effects, before)
    after = await instants.all_on_to([f"{rpc}.after" for rpc in rpcs], before)
    await kill_all(system, instants, effects, after)
    return after


async def kill_all(
    system: System,
    instants: Instants,
    effects: Mapping[str, Sequence[str]],
    held: Sequence[Held],
) -> None:
    """Kill the services in which the hires stand, and start them again."""
    hires = iter(held)
    for service, rpcs in effects.items():
        await instants.kill(service, list(islice(hires, len(rpcs))), holds=True)
    await asyncio.gather(*(system.stack.start(service) for service in effects))


async def test_postgres_is_killed_before_and_after_a_commit_of_every_process(
    system: System,
) -> None:
    """Before it, which rolls it back; then after it, when the work was tried again.

    Each time the processes go on while PostgreSQL is still away.
    """
    works = [*COMMITS, *COMMITS_BACK]
    async with Instants(system, own_jobs=True) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at([work for _, work in COMMITS]),
            instants.undoings_at([work for _, work in COMMITS_BACK]),
        )
        before = await instants.at_commits([*forward, *back], works, "before")
        assert await open_transactions(system) >= len(before)
        await instants.kill("postgres", before, holds=False)
        after, _ = await asyncio.gather(
            instants.at_commits(before, works, "after"), system.stack.start("postgres")
        )
        await instants.kill("postgres", after, holds=False)
    await system.stack.start("postgres")
    await ended(system, forward, HIRED)
    await ended(system, back, UNDONE)


async def test_a_kill_between_publishing_and_marking_loses_no_event_and_doubles_none(
    system: System,
) -> None:
    async with Instants(system) as instants:
        published = instants.arm("relay.published", "contracts")
        # Held as soon as the contract's first event was published.
        held = await instants.hire_at("activity.create_contract.after")
        await killed_while_it_stands(system, instants, "contracts", published, held)
    await system.stack.start("nats")
    await ended(system, [held], HIRED)


async def test_a_kill_between_an_effect_and_its_acknowledgement_loses_no_event_and_doubles_none(
    system: System,
) -> None:
    async with Instants(system) as instants:
        held = await instants.hire_at("activity.reserve.before")
        applied = instants.arm("consumer.applied", "proposals-jobs")
        held = await instants.on_to("activity.reserve.after", held)
        await killed_while_it_stands(system, instants, "proposals", applied, held)
    await system.stack.start("nats")
    await ended(system, [held], HIRED)


async def killed_while_it_stands(
    system: System, instants: Instants, service: str, stop: Stop, held: Held
) -> None:
    """Kill a service at its stop, and then NATS, when the service has come there anew.

    NATS stays away, for the service to go on without it.
    """
    assert await stop.reached() == system.stack.process(service).pid
    await instants.kill(service, [held], holds=False)
    stop.forget()
    await system.stack.start(service)
    assert await stop.reached() == system.stack.process(service).pid
    await instants.kill("nats", [held], holds=False)


async def test_the_webhook_is_killed_while_it_takes_the_success(system: System) -> None:
    async with Instants(system) as instants:
        held = [
            # In this order: nobody else's success is stored while the second one is held there.
            await success_at(system, instants, "webhook.hinted"),
            await success_at(system, instants, "webhook.stored"),
        ]
        await instants.kill("hiring", held, holds=True)
    await system.stack.start("hiring")
    await ended(system, held, HIRED)


async def success_at(system: System, instants: Instants, point: str) -> Held:
    """A hire whose client has paid, of which the webhook is told and the story is not."""
    journey = await system.proposed(SECURE)
    started = await start(journey)
    # The story does not go on with the hint before the kill.
    instants.arm("activity.read_payment.before", started.hire.hire_id)
    intent_id = started.client_secret.partition("_secret_")[0]
    part = {"webhook.hinted": intent_id, "webhook.stored": "payment_intent.succeeded"}[point]
    held = Held(journey, started.hire.hire_id, instants.arm(point, part))
    await system.browser.authenticate(started.client_secret)
    await held.stop.reached()
    return held


async def test_the_payment_provider_is_killed_with_what_it_has_done_and_not_told(
    system: System,
) -> None:
    async with Instants(system) as instants:
        forward, back = await asyncio.gather(
            instants.hires_at(["activity.take_payment.before"] * 2),
            instants.undoings_at(
                ["activity.settle_payment.before", "activity.refund_payment.before"]
            ),
        )
        # In this order: the first hire must be past its create when the second is held there.
        operations = (
            "payment_intents.confirm",
            "payment_intents.create",
            "payment_intents.cancel",
            "refunds.create",
        )
        for operation, held in zip(operations, [*forward, *back], strict=True):
            await system.fault(kind="commit_then_hang", operation=operation)
            held.stop.disarm()
            await system.hold_reached(operation)
        await instants.kill("stripe", [*forward, *back], holds=False)
        await system.stack.start("stripe")
    for hire in await ended(system, forward, HIRED):
        assert await system.net_charged(hire) == (1, TOTAL)
    settled, refunded = await ended(system, back, UNDONE)
    assert await system.net_charged(settled) == (0, 0)
    assert await system.net_charged(refunded) == (1, 0)
