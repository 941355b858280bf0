"""Dependencies that are late, lost and back; background tasks that fail."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import ValidationError

from services.common.inbox import Subscription
from services.common.migrations import migrate
from services.common.runtime import Part, Resources, running
from services.common.settings import Settings
from tests.common.conftest import (
    MIGRATIONS,
    Child,
    make_key,
    make_settings,
    nats_server,
    postgres_server,
)
from tests.common.events import UPDATED, Hearing, record, until_heard
from tests.common.toy import toy

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
async def own_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Child]]:
    folder = tmp_path_factory.mktemp("own")
    async with postgres_server(folder / "data") as postgres, nats_server(folder / "nats") as nats:
        yield [postgres, nats]


async def until_health(address: str, expected: int) -> None:
    async with asyncio.timeout(30), grpc.aio.insecure_channel(address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        while True:
            answer = await health.Check(health_pb2.HealthCheckRequest())
            if answer.status == expected:
                return
            await asyncio.sleep(0.05)


async def test_a_process_outlives_its_dependencies_and_recovers_by_itself(
    own_servers: list[Child], tmp_path: Path
) -> None:
    postgres, nats = own_servers
    url = f"postgresql+asyncpg://hireflow:secret@127.0.0.1:{postgres.port}/postgres"
    settings = make_settings(url, f"nats://127.0.0.1:{nats.port}", make_key(tmp_path / "k.json"))
    await migrate(settings, "toy", MIGRATIONS)
    hearing = Hearing("t-")
    heard = Subscription("outlives", ("hireflow.jobs.v1.job.*",), {UPDATED: hearing.hear})
    await postgres.kill()
    await nats.kill()
    async with running(settings, "toy", [toy(subscriptions=(heard,))]) as process:
        await until_health(process.address, NOT_SERVING)
        await postgres.start()
        await nats.start()
        await until_health(process.address, SERVING)
        database = process.resources.database
        await record(database, "t-1")
        await until_heard(database, "t-", [("1", 1)])
        for server in own_servers:
            await server.kill()
            await until_health(process.address, NOT_SERVING)
            await server.start()
            await until_health(process.address, SERVING)
            await record(database, "t-1")
        await until_heard(database, "t-", [("1", 1), ("1", 2), ("1", 3)])


async def test_a_background_task_that_fails_is_told_and_started_again(settings: Settings) -> None:
    runs = 0
    twice = asyncio.Event()

    async def fail() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            twice.set()
        raise RuntimeError("on purpose")

    def build(resources: Resources) -> Part:
        return Part(background=(fail,))

    async with running(settings, "toy", [build]):
        async with asyncio.timeout(10):
            await twice.wait()


async def test_a_part_may_name_further_dependencies(settings: Settings) -> None:
    down = True

    async def temporal() -> None:
        if down:
            raise ConnectionError("temporal is away")

    async with running(
        settings, "worker", [lambda _: Part(checks={"temporal": temporal})]
    ) as process:
        await until_health(process.address, NOT_SERVING)
        down = False
        await process.ready()


async def test_a_taken_port_is_one_clear_sentence(settings: Settings) -> None:
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    async with running(settings, "toy", []) as process:
        same = settings.model_copy(update={"listen": process.address})
        with pytest.raises(OSError, match="is the port taken"):
            async with running(same, "toy", []):
                pass


def test_production_refuses_what_is_meant_for_development(tmp_path: Path) -> None:
    key = make_key(tmp_path / "k.json")
    key.chmod(0o644)
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(
            {
                "env": "production",
                "stop_points": tmp_path,
                "database_url": "postgresql+asyncpg://h@db/hireflow",
                "nats_url": "nats://nats:4222",
                "auth_keys": "http://keys.example/jwks",
                "auth_signing_key_file": key,
            }
        )
    told = str(caught.value)
    for sentence in (
        "development issuer",
        "chmod 600",
        "must be https",
        "tls://",
        "TLS_*_FILE",
        "STOP_POINTS",
    ):
        assert sentence in told
