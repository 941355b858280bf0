"""What is old goes from the outbox and the requests, and nothing that is still needed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deploy.local.forking import ForkServer
from services.common.auth import Principal
from services.common.bus import Bus
from services.common.database import Database
from services.common.migrations import migrate
from services.common.outbox import Relay
from services.common.pruning import Pruner
from services.common.republishing import Republisher, order_republishing
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS, Child, database_url, nats_server
from tests.common.desk import open_desk, own
from tests.common.events import TABLES, record, send_all, until_heard
from tests.common.toy_process import toy_process
from tests.stops import armed
from tests.waiting import until

MONTH, YEAR = timedelta(days=30), timedelta(days=365)


@pytest.fixture(scope="module")
async def nats_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with nats_server(tmp_path_factory.mktemp("pruned-nats")) as nats:
        yield f"nats://127.0.0.1:{nats.port}"


@pytest.fixture
async def made(postgres: Child, settings: Settings, nats_url: str) -> Settings:
    """The session's settings with a database of its own."""
    made = own(settings, await database_url(postgres), nats_url)
    await migrate(made, "toy", MIGRATIONS)
    return made


@pytest.fixture
async def database(made: Settings) -> AsyncIterator[Database]:
    async with Database.open(made, "test") as opened:
        yield opened


@pytest.fixture
async def bus(made: Settings) -> AsyncIterator[Bus]:
    async with Bus.open(made, "test") as opened:
        await opened.jetstream()
        yield opened


@pytest.fixture
async def relay(database: Database, bus: Bus) -> Relay:
    await Republisher(database, bus, "toy").notice_stream()
    return Relay(database, bus, "toy")


async def age(database: Database, by: timedelta) -> None:
    """Let everything that was sent and asked for have been so long ago."""
    outbox, request = TABLES.outbox, TABLES.request
    async with database.begin() as tx:
        await tx.execute(sa.update(outbox).values(sent_at=outbox.c.sent_at - by))
        await tx.execute(sa.update(request).values(create_time=request.c.create_time - by))


async def kept(database: Database) -> list[tuple[str, int]]:
    outbox = TABLES.outbox
    async with database.read() as connection:
        rows = await connection.execute(sa.select(outbox).order_by(outbox.c.id))
        return [(row.aggregate_id, row.version) for row in rows]


async def test_old_events_go_and_the_next_version_follows_on_them(
    made: Settings, database: Database, relay: Relay
) -> None:
    pruner = Pruner(database, "toy", made)
    await record(database, *"xxy")
    await send_all(relay)
    await age(database, YEAR)
    await record(database, "x")
    await send_all(relay)
    await record(database, *"xz")  # never sent
    assert await pruner.prune_outbox(MONTH) == 3
    assert await kept(database) == [("x", 3), ("x", 4), ("z", 1)]
    assert await pruner.prune_outbox(MONTH) == 0
    await send_all(relay)
    await age(database, YEAR)
    assert await pruner.prune_outbox(MONTH) == 3
    assert await kept(database) == []
    await record(database, *"xyz")
    assert await kept(database) == [("x", 5), ("y", 2), ("z", 2)]


async def test_an_unsent_event_stays_however_old_and_its_aggregate_goes_on_after_the_last(
    made: Settings, database: Database, relay: Relay
) -> None:
    await record(database, *"uuu")
    outbox = TABLES.outbox
    async with database.begin() as tx:
        # As if the second alone had been acknowledged, long ago.
        old = sa.func.now() - YEAR
        await tx.execute(sa.update(outbox).where(outbox.c.version > 1).values(sent_at=old))
        await tx.execute(sa.update(outbox).values(time=old))
    assert await Pruner(database, "toy", made).prune_outbox(MONTH) == 2
    assert await kept(database) == [("u", 1)]
    await record(database, "u")
    assert await kept(database) == [("u", 1), ("u", 4)]


async def test_nothing_is_pruned_that_is_to_be_sent_again(
    made: Settings, database: Database, bus: Bus, relay: Relay
) -> None:
    await record(database, *"ab")
    await send_all(relay)
    await age(database, YEAR)
    pruner, republisher = Pruner(database, "toy", made), Republisher(database, bus, "toy")
    async with database.begin() as tx:
        await order_republishing(tx, "toy", 0, None)
        # Nor while an order is being given.
        assert await pruner.prune_outbox(MONTH) == 0
    assert await pruner.prune_outbox(MONTH) == 0
    assert await republisher.send_batch() == 2
    assert await pruner.prune_outbox(MONTH) == 2


async def test_nothing_is_pruned_from_the_outbox_unless_told_to(
    made: Settings, database: Database, relay: Relay
) -> None:
    await record(database, "a")
    await send_all(relay)
    await age(database, 10 * YEAR)
    await Pruner(database, "toy", made).prune()
    assert await kept(database) == [("a", 1)]


async def test_old_requests_go_and_young_ones_stay(made: Settings, database: Database) -> None:
    request = TABLES.request

    async def ask(*numbers: int) -> None:
        async with database.begin() as tx:
            rows = [
                {"principal": "p", "request_id": str(n), "method": "m", "fingerprint": b""}
                for n in numbers
            ]
            await tx.execute(sa.insert(request), rows)

    await ask(*range(1200))
    await age(database, YEAR)
    await ask(9001, 9002)
    await Pruner(database, "toy", made).prune()
    async with database.read() as connection:
        left = await connection.execute(sa.select(request.c.request_id))
        assert sorted(left.scalars()) == ["9001", "9002"]


async def test_versions_have_no_gap_while_everything_sent_is_pruned_at_once(
    made: Settings, token: Callable[[Principal], str]
) -> None:
    hasty = made.model_copy(update={"outbox_retention": 0.001, "prune_interval": 0.005})
    async with open_desk(hasty, token) as desk:

        async def write(name: str) -> None:
            for _ in range(40):
                await record(desk.database, f"g-{name}")
                await asyncio.sleep(0.01)  # so that some are pruned before the next

        async with asyncio.TaskGroup() as writers:
            for name in "abcde":
                writers.create_task(write(name))
        every = [(name, version) for name in "abcde" for version in range(1, 41)]
        await until_heard(desk.database, "g-", every)

        async def is_pruned() -> bool:
            return await kept(desk.database) == []

        await until(is_pruned)
        pruned = TABLES.outbox_pruned
        async with desk.database.read() as connection:
            rows = await connection.execute(sa.select(pruned.c.aggregate_id, pruned.c.version))
            assert sorted(map(tuple, rows)) == [(f"g-{name}", 40) for name in "abcde"]


async def test_a_pruner_that_is_killed_between_batches_is_gone_on_with(
    made: Settings, database: Database, relay: Relay, tmp_path: Path, forks: ForkServer
) -> None:
    outbox = TABLES.outbox
    async with database.begin() as tx:
        names = sa.func.generate_series(1, 1200).table_valued("n").render_derived()
        told = (
            sa.cast(names.c.n % 3, sa.Text),
            sa.cast(sa.func.ceil(names.c.n / 3.0), sa.BigInteger),
        )
        old = sa.func.now() - YEAR
        fixed: list[sa.ColumnElement[Any]] = [
            sa.literal("job"),
            sa.literal("t"),
            sa.literal(b""),
            sa.literal("s"),
        ]
        columns = ["aggregate_type", "type", "data", "data_schema", "aggregate_id", "version"]
        values: list[sa.ColumnElement[Any]] = [*fixed, *told, old, sa.literal(""), old]
        rows = sa.select(*values).select_from(names)
        await tx.execute(
            sa.insert(outbox).from_select([*columns, "time", "traceparent", "sent_at"], rows)
        )
    pruning = made.model_copy(
        update={
            "outbox_retention": MONTH.total_seconds(),
            "stop_points": tmp_path,
            # The dead pruner's session may still have its lock when the next one first looks.
            "prune_interval": 0.5,
        }
    )
    with armed(tmp_path, "pruned", "toy") as stop:
        async with toy_process(pruning, tmp_path / "log", forks) as process:
            assert await stop.reached() == process.pid
            await process.kill()
            assert len(await kept(database)) == 700
            await record(database, *"012")
            stop.disarm()
            await process.start()

            async def is_done() -> bool:
                return len(await kept(database)) == 3

            await until(is_done)
    assert await kept(database) == [("0", 401), ("1", 401), ("2", 401)]
