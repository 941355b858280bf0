import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import nats
import psutil
import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.forking import ForkServer
from deploy.local.infrastructure import SEARCH_ATTRIBUTES
from deploy.local.stack import Stack
from deploy.local.state import read_status
from workflows.hire import contract

STRIPE_VARIABLES = {"HIREFLOW_STRIPE_API_KEY", "HIREFLOW_STRIPE_WEBHOOK_SECRET"}


@asynccontextmanager
async def database(stack: Stack) -> AsyncIterator[Any]:
    url = stack.addresses.postgres_url.replace("postgresql+asyncpg", "postgresql")
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_row_outlives_a_killed_postgres(own_stack: Stack) -> None:
    async with database(own_stack) as connection:
        await connection.execute("CREATE TABLE oven AS SELECT 1 AS temperature")
    before = own_stack.process("postgres").pid

    await own_stack.kill("postgres")
    await own_stack.start("postgres")

    assert own_stack.process("postgres").pid != before
    async with database(own_stack) as connection:
        assert await connection.fetchval("SELECT temperature FROM oven") == 1


async def test_postgres_is_version_18_and_the_services_role_is_no_superuser(
    own_stack: Stack,
) -> None:
    async with database(own_stack) as connection:
        assert (await connection.fetchval("SHOW server_version")).startswith("18.")
        assert await connection.fetchval("SHOW is_superuser") == "off"
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.execute("CREATE SCHEMA kitchen")


async def test_acknowledged_events_outlive_a_killed_nats(own_stack: Stack) -> None:
    client = await nats.connect(own_stack.addresses.nats_url)
    await client.jetstream().add_stream(name="ovens", subjects=["oven.*"])
    await client.jetstream().publish("oven.hot", b"")
    await client.close()

    await own_stack.kill("nats")
    await own_stack.start("nats")

    client = await nats.connect(own_stack.addresses.nats_url)
    assert (await client.jetstream().stream_info("ovens")).state.messages == 1
    await client.close()


async def test_temporal_knows_the_search_attributes_of_the_workflow(own_stack: Stack) -> None:
    client = await Client.connect(own_stack.addresses.temporal_address)
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )

    kinds = {
        name: IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").capitalize()
        for name, kind in known.custom_attributes.items()
    }
    assert kinds.items() >= SEARCH_ATTRIBUTES.items()
    assert {
        key.name: key.indexed_value_type.name.capitalize() for key in contract.SEARCH_ATTRIBUTES
    } == SEARCH_ATTRIBUTES


async def test_a_second_stack_on_one_data_directory_is_refused(own_stack: Stack) -> None:
    with pytest.raises(StackFailure, match="A stack already runs on"):
        async with Stack.open(own_stack.data.root, only={"nats"}):
            pass


async def test_two_stacks_run_side_by_side(own_stack: Stack, folder: Path) -> None:
    async with Stack.open(folder / "other", only={"nats"}) as other:
        assert other.addresses.nats_url != own_stack.addresses.nats_url
        assert other.process("nats").pid != own_stack.process("nats").pid


async def test_the_data_directory_is_for_its_owner_only(own_stack: Stack) -> None:
    root = own_stack.data.root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    open_to_others = [
        path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


async def test_the_state_file_names_every_process_and_no_secret(own_stack: Stack) -> None:
    status = read_status(own_stack.data)

    assert status.running
    assert status.supervisor == psutil.Process()
    processes = {process["name"]: process for process in status.content["processes"]}
    assert set(processes) == {"postgres", "nats", "temporal"}
    assert all(processes[name]["pid"] == own_stack.process(name).pid for name in processes)
    text = own_stack.data.state_file.read_text()
    assert not any(secret in text for secret in own_stack.data.known_secrets().values())


async def test_a_start_after_an_interrupted_one_works_and_the_next_resumes_data_addresses_and_keys(
    folder: Path,
) -> None:
    data_dir = folder / "data"
    half_made = data_dir / "postgres.new"
    half_made.mkdir(mode=0o700, parents=True)
    (half_made / "PG_VERSION").write_text("18")
    async with Stack.open(data_dir, only={"postgres"}) as first:
        addresses = first.addresses
        key = (first.data.keys / "dev-private.json").read_text()
        async with database(first) as connection:
            await connection.execute("CREATE TABLE oven AS SELECT 1 AS temperature")
    assert not read_status(DataDir(data_dir)).running

    async with Stack.open(data_dir, only={"postgres"}) as second:
        assert second.addresses == addresses
        assert (second.data.keys / "dev-private.json").read_text() == key
        async with database(second) as connection:
            assert await connection.fetchval("SELECT temperature FROM oven") == 1


async def test_a_crash_that_nobody_noticed_is_raised_on_the_way_out(folder: Path) -> None:
    async def run() -> None:
        async with Stack.open(folder, only={"nats"}) as stack:
            psutil.Process(stack.process("nats").pid).kill()
            await stack.until_failure()

    with pytest.raises(StackFailure, match="nats ended by signal SIGKILL"):
        await run()


async def test_a_paused_server_says_nothing_until_it_is_resumed(folder: Path) -> None:
    async with Stack.open(folder, only={"nats"}) as stack:
        await stack.pause("nats")
        assert psutil.Process(stack.process("nats").pid).status() == psutil.STATUS_STOPPED
        await stack.resume("nats")
        client = await nats.connect(stack.addresses.nats_url)
        await client.close()


async def test_an_unknown_process_or_port_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(StackFailure, match="no process named kiln"):
        async with Stack.open(folder, only={"kiln"}):
            pass
    with pytest.raises(StackFailure, match="no part named kiln"):
        async with Stack.open(folder, only={"nats"}, ports={"kiln": 1}):
            pass


async def test_each_process_is_told_only_the_secrets_it_needs(own_stack: Stack) -> None:
    own_stack.data.keep_secrets(stripe_webhook_secret="whsec_1")

    def secrets_of(name: str) -> set[str]:
        return STRIPE_VARIABLES & own_stack.environment(name).keys()

    assert secrets_of("jobs") == secrets_of("migrate-services") == set()
    assert secrets_of("worker") == {"HIREFLOW_STRIPE_API_KEY"}
    assert secrets_of("hiring") == STRIPE_VARIABLES
    assert "HIREFLOW_AUTH_SIGNING_KEY_FILE" not in own_stack.environment("migrate-services")


async def test_overrides_reach_the_process_they_name_and_no_other(folder: Path) -> None:
    overrides = {"worker": {"HIREFLOW_LOG_LEVEL": "DEBUG"}}
    async with Stack.open(folder, only={"nats"}, env_overrides=overrides) as stack:
        assert stack.environment("worker")["HIREFLOW_LOG_LEVEL"] == "DEBUG"
        assert stack.environment("hiring").get("HIREFLOW_LOG_LEVEL") != "DEBUG"


async def test_the_stripe_sandbox_is_told_once_where_webhooks_go(
    folder: Path, forks: ForkServer
) -> None:
    async with Stack.open(folder, only={"stripe"}, forks=forks) as first:
        secrets = dict(first.data.known_secrets())
        assert secrets["stripe_webhook_secret"].startswith("whsec_")
    # The webhook's port is not this stack's to keep: moved, the endpoint follows.
    ports = json.loads(first.data.ports_file.read_text())
    ports["webhook"]["port"] += 1
    first.data.ports_file.write_text(json.dumps(ports))

    async with Stack.open(folder, only={"stripe"}, forks=forks) as second:
        assert dict(second.data.known_secrets()) == secrets
