"""The same events published again, after the stream has forgotten that it had them."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from services.common.auth import Principal
from services.common.bus import EVENTS
from services.common.database import notify
from services.common.settings import Settings
from tests.common.conftest import Child, database_url, nats_server
from tests.common.desk import CONSUMER, open_desk, own
from tests.common.events import TABLES, heard, record, until_heard
from tests.waiting import until


async def test_events_that_come_again_after_the_duplicate_window_have_no_second_effect(
    postgres: Child, settings: Settings, token: Callable[[Principal], str], tmp_path: Path
) -> None:
    async with nats_server(tmp_path / "nats") as nats:
        made = own(
            settings,
            await database_url(postgres),
            f"nats://127.0.0.1:{nats.port}",
            nats_duplicate_window=0.1,
        )
        async with open_desk(made, token) as desk:
            jetstream = await desk.bus.jetstream()
            assert (await jetstream.stream_info(EVENTS)).config.duplicate_window == 0.1
            await record(desk.database, *(f"d-{name}" for name in "xyxzx"))
            every = [("x", 1), ("x", 2), ("x", 3), ("y", 1), ("z", 1)]
            await until_heard(desk.database, "d-", every)
            calls = desk.hearing.calls

            async def stored_thrice() -> bool:
                # As a relay that died after its publishing and came back much later.
                async with desk.database.begin() as tx:
                    await tx.execute(sa.update(TABLES.outbox).values(sent_at=None))
                    await notify(tx, "toy_outbox")
                return len(await desk.stored()) >= 3 * len(every)

            await until(stored_thrice)

            async def all_taken() -> bool:
                info = await jetstream.consumer_info(EVENTS, CONSUMER)
                return not info.num_pending and not info.num_ack_pending

            await until(all_taken)
            await record(desk.database, "d-y")
            await until_heard(desk.database, "d-", [*every, ("y", 2)])
            assert desk.hearing.calls == calls + 1
            told = await heard(desk.database, "d-")
            assert [each for each in told if each[0] == "x"] == [("x", 1), ("x", 2), ("x", 3)]
