"""NATS loses everything: the outbox fills the new streams, and nothing happens twice."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from services.common.auth import Principal
from services.common.bus import EVENTS, Bus
from services.common.errors import Unavailable
from services.common.settings import Settings
from tests.common.conftest import Child, database_url, nats_server
from tests.common.desk import Desk, open_desk, own
from tests.common.events import TABLES, Hearing, consuming, heard, record, until_heard
from tests.waiting import until

NAMES = "abcdefg"


async def recorded(desk: Desk) -> list[tuple[str, int]]:
    """Aggregate and version of every event in the outbox."""
    outbox = TABLES.outbox
    async with desk.database.read() as connection:
        rows = await connection.execute(sa.select(outbox.c.aggregate_id, outbox.c.version))
        return [(row.aggregate_id, row.version) for row in rows]


async def test_an_emptied_nats_is_filled_by_itself_and_who_heard_it_all_does_nothing_again(
    postgres: Child, settings: Settings, token: Callable[[Principal], str], tmp_path: Path
) -> None:
    async with nats_server(tmp_path / "nats") as nats:
        made = own(settings, await database_url(postgres), f"nats://127.0.0.1:{nats.port}")
        async with open_desk(made, token) as desk:
            await record(desk.database, *(f"n-{name}" for name in NAMES * 20))
            every = [(name, version) for name in NAMES for version in range(1, 21)]
            await until_heard(desk.database, "n-", every)
            calls = desk.hearing.calls
            before = desk.bus.stream_create_time

            await nats.kill()
            shutil.rmtree(tmp_path / "nats")
            await record(desk.database, *(f"n-{name}" for name in NAMES))
            await nats.start()

            async def is_filled() -> bool:
                if desk.bus.stream_create_time == before:
                    return False
                return Counter(await desk.stored()) == Counter(await recorded(desk))

            await until(is_filled)
            every += [(name, 21) for name in NAMES]
            await until_heard(desk.database, "n-", every)
            assert desk.hearing.calls == calls + len(NAMES)
            for name in NAMES:
                told = [each for each in await heard(desk.database, "n-") if each[0] == name]
                assert told == [(name, version) for version in range(1, 22)]

            # Who had heard nothing before hears it all, from the new stream alone.
            late = Hearing("n-")
            async with consuming(desk.database, desk.bus, late, "toy-late"):

                async def has_heard_all() -> bool:
                    return len(await heard(desk.database, "n-")) >= 2 * len(every)

                await until(has_heard_all)
            assert sorted(await heard(desk.database, "n-")) == sorted(every * 2)
            assert late.calls == len(every)


async def test_a_stream_that_cannot_be_made_anew_is_a_dependency_that_is_away(
    settings: Settings, tmp_path: Path
) -> None:
    async with nats_server(tmp_path / "nats") as nats:
        address = SecretStr(f"nats://127.0.0.1:{nats.port}")
        async with Bus.open(settings.model_copy(update={"nats_url": address}), "test") as bus:
            jetstream = await bus.jetstream()
            await bus.ping()
            await jetstream.delete_stream(EVENTS)
            await jetstream.add_stream(name="SQUATTER", subjects=["hireflow.>"])
            with pytest.raises(Unavailable):
                await bus.ping()
