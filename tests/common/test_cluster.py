"""Three NATS servers on one machine: the leader of the stream is killed under load."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js.api import StreamInfo
from nats.js.errors import APIError

from deploy.local.forking import ForkServer
from services.common.bus import EVENTS
from services.common.database import Database
from services.common.migrations import migrate
from services.common.settings import Settings
from tests.common.conftest import MIGRATIONS, Child, database_url, free_port
from tests.common.desk import own
from tests.common.toy_process import toy_process
from tests.common.writers import Writers, assert_all_once_and_in_order, in_effect
from tests.waiting import until

PROGRAM = Path(sys.executable).parent / "nats-server"
NAMES = ("one", "two", "three")


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Mapping[str, Child]]:
    """Three servers by name, each of which knows the routes to all."""
    await asyncio.to_thread(folder.mkdir)
    routes = {name: free_port() for name in NAMES}
    every_route = ", ".join(f"nats-route://127.0.0.1:{port}" for port in routes.values())
    servers = {}
    for name in NAMES:
        config = folder / f"{name}.conf"
        port = free_port()
        config.write_text(
            f'server_name: "{name}"\n'
            f'listen: "127.0.0.1:{port}"\n'
            f'jetstream {{ store_dir: "{folder / name}", sync_interval: always }}\n'
            f'cluster {{ name: "toy", listen: "127.0.0.1:{routes[name]}", '
            f"routes: [{every_route}] }}\n"
        )
        servers[name] = Child(port, PROGRAM, "--config", config)
    try:
        await asyncio.gather(*(server.start() for server in servers.values()))
        yield servers
    finally:
        await asyncio.gather(*(server.kill() for server in servers.values()))


async def stream(client: Client) -> StreamInfo | None:
    """What the cluster says of the stream; None while it has no leader."""
    try:
        return await client.jetstream(timeout=2).stream_info(EVENTS)
    except (APIError, TimeoutError):
        return None


async def leader(client: Client) -> str:
    """The server that leads the stream, with two others beside it; empty while there is none."""
    info = await stream(client)
    if info is None or info.cluster is None or not info.cluster.leader:
        return ""
    return info.cluster.leader


async def whole(client: Client) -> bool:
    """Whether a leader and two followers that are up to date have the stream."""
    info = await stream(client)
    if info is None or info.cluster is None:
        return False
    followers = info.cluster.replicas or []
    return len(followers) == 2 and all(each.current for each in followers)


@pytest.mark.timeout(300)
async def test_a_leader_killed_under_load_loses_and_doubles_no_event_and_keeps_the_order(
    postgres: Child, settings: Settings, tmp_path: Path, forks: ForkServer
) -> None:
    async with AsyncExitStack() as resources:
        servers = await resources.enter_async_context(cluster(tmp_path / "cluster"))
        nats_url = ",".join(f"nats://127.0.0.1:{each.port}" for each in servers.values())
        made = own(settings, await database_url(postgres), nats_url, nats_replicas=3)
        await migrate(made, "toy", MIGRATIONS)
        database = await resources.enter_async_context(Database.open(made, "test"))
        client = Client()
        await client.connect(made.nats_servers, max_reconnect_attempts=-1)
        resources.push_async_callback(client.close)
        for number in range(2):
            await resources.enter_async_context(
                toy_process(made, tmp_path / f"log-{number}", forks)
            )
        writers = Writers(database, seed=3, pause=0.5)
        writing = asyncio.create_task(writers.run())

        async def flows_on(more: int = 20) -> None:
            wanted = (await in_effect(database)).total() + more

            async def has_come() -> bool:
                return (await in_effect(database)).total() >= wanted

            await until(has_come, 90)

        await flows_on()
        await until(lambda: whole(client))
        created = (await client.jetstream().stream_info(EVENTS)).created
        led = await leader(client)
        await servers[led].kill()

        async def another_leads() -> bool:
            return await leader(client) not in {"", led}

        await until(another_leads, 90)
        await flows_on()
        await servers[led].start()
        await until(lambda: whole(client), 90)
        writers.stopped = True
        await writing

        async def all_are() -> bool:
            return (await in_effect(database)).total() >= writers.committed.total()

        await until(all_are, 90)
        await assert_all_once_and_in_order(database, writers.committed)
        info = await client.jetstream().stream_info(EVENTS)
        # The same stream still, so nothing was sent again for the loss of a leader.
        assert info.created == created
        assert info.state.messages == writers.committed.total()
