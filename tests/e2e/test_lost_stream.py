"""NATS loses everything under hires, and operators see to events by `hireflow events`."""

import asyncio
import json
import shutil
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import nats
import sqlalchemy as sa
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.applications import SERVICES
from services.common.bus import EVENTS
from services.common.tables import chassis_tables
from tests.e2e.conftest import System
from tests.e2e.kills.instants import Instants, ended
from tests.e2e.scenarios.acts import HIRED, VISA, start
from tests.waiting import until

SCHEMAS = (*SERVICES, "hiring")


async def hireflow_events(system: System, *words: str) -> dict[str, Any]:
    """Run `hireflow events … --json` as its own program, as an operator would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.cli", "events", *words, "--json"),
        f"--data-dir={system.stack.data.root}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complained.decode()
    told: dict[str, Any] = json.loads(said)
    return told


async def recorded(system: System) -> set[str]:
    """The id of every event in every outbox."""
    engine = create_async_engine(system.stack.addresses.postgres_url)
    ids: set[str] = set()
    try:
        async with engine.connect() as connection:
            for schema in SCHEMAS:
                outbox = chassis_tables(sa.MetaData(schema=schema)).outbox
                ids |= set(map(str, await connection.scalars(sa.select(outbox.c.event_id))))
    finally:
        await engine.dispose()
    return ids


async def stored(system: System, at_least: int = 0) -> Counter[str]:
    """How often the stream has each event; nothing is read of one that has fewer messages."""
    client = await nats.connect(system.stack.addresses.nats_url)
    found: Counter[str] = Counter()
    try:
        jetstream = client.jetstream()
        left = (await jetstream.stream_info(EVENTS)).state.messages
        if left < at_least:
            return found
        # An unnamed consumer that acknowledges nothing: the server forgets it by itself.
        reading = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=True)
        every = await jetstream.pull_subscribe(">", stream=EVENTS, config=reading)
        while left > 0:
            fetched = await every.fetch(min(left, 500), timeout=10)
            left -= len(fetched)
            found.update((message.headers or {})["ce-id"] for message in fetched)
    finally:
        await client.close()
    return found


async def all_stored(system: System) -> bool:
    """Whether the stream has every event that is recorded."""
    wanted = await recorded(system)
    return set(await stored(system, len(wanted))) == wanted


async def test_hires_go_through_an_emptied_nats_and_no_event_is_lost_or_has_two_effects(
    system: System,
) -> None:
    before = await system.proposed(VISA)
    hired = await system.ended(before, (await start(before)).hire.hire_id)
    async with Instants(system) as instants:
        # As of its publishing, proposals may not have heard of the position yet.
        held = await instants.hires_at(["activity.reserve.after", "activity.complete_hire.before"])
        await instants.kill("nats", held, holds=False)
        await asyncio.to_thread(shutil.rmtree, system.stack.data.root / "nats")
    await system.stack.start("nats")
    await ended(system, held, HIRED)
    await system.audited(hired.hire_id)

    async def is_filled() -> bool:
        wanted = await recorded(system)
        return await stored(system, len(wanted)) == Counter(wanted)

    await until(is_filled, 90)

    # Whoever hears jobs and proposals goes on from where it was.
    after = await system.proposed(VISA)
    hire = await system.ended(after, (await start(after)).hire.hire_id)
    assert hire.state == HIRED
    await system.audited(hire.hire_id)
    assert await hireflow_events(system, "dead-letters") == {"dead_letters": []}


async def rebuilding(system: System) -> bool:
    """Whether proposals still hear again what they heard before."""
    engine = create_async_engine(system.stack.addresses.postgres_url)
    inbox = chassis_tables(sa.MetaData(schema="proposals")).inbox
    try:
        async with engine.connect() as connection:
            behind = sa.select(inbox.c.consumer).where(inbox.c.aggregate_type == "")
            return (await connection.execute(behind)).first() is not None
    finally:
        await engine.dispose()


async def test_an_operator_republishes_replays_and_rebuilds_from_the_command_line(
    system: System,
) -> None:
    # `--since` knows whole seconds, and something is to happen before it.
    await system.proposed()
    since = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await until(lambda: datetime.now(UTC) >= since)
    await system.proposed()
    await until(lambda: all_stored(system))
    told = await hireflow_events(
        system, "republish", "jobs", f"--since={since:%Y-%m-%dT%H:%M:%S}", "--reason=rehearsed"
    )
    assert 1 < told["first_position"] <= told["last_position"]

    async def came_again() -> bool:
        return (await stored(system)).most_common(1)[0][1] == 2

    await until(came_again)
    await until(lambda: all_stored(system))
    replayed = await hireflow_events(system, "replay", "proposals-jobs", "--reason=rehearsed")
    assert replayed == {"replayed": 0}
    assert await hireflow_events(system, "dead-letters", "proposals-jobs") == {"dead_letters": []}
    rebuilt = await hireflow_events(system, "rebuild", "proposals-jobs", "--reason=rehearsed")
    assert rebuilt["aggregates"] >= 1

    async def is_served() -> bool:
        return not await rebuilding(system)

    await until(is_served)
    await system.proposed()
