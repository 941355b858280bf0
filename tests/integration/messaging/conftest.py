"""MessagingService running in this process, on the real PostgreSQL and NATS."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import grpc.aio
import pytest

from deploy.local.data_dir import DataDir
from deploy.local.keys import ensure_keys, private_key_file, public_keys_file
from hireflow.messaging.v1 import thread_pb2_grpc
from services.common.bus import Bus
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Environment, Settings
from services.common.tokens import Signer
from services.messaging import wiring
from tests.integration.messaging.world import Parties, World


class Infrastructure(Protocol):
    """Where the real parts answer."""

    @property
    def postgres_url(self) -> str: ...

    @property
    def nats_url(self) -> str: ...


@pytest.fixture(scope="session")
def settings(infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = DataDir.at(Path(tmp_path_factory.mktemp("messaging-keys")))
    ensure_keys(data)
    return Settings.model_validate(
        {
            "env": Environment.TEST,
            "database_url": infrastructure.postgres_url,
            "nats_url": infrastructure.nats_url,
            "auth_keys": str(public_keys_file(data)),
            "auth_signing_key_file": private_key_file(data),
            "log_level": "WARNING",
            "shutdown_grace": 2.0,
        }
    )


@pytest.fixture(scope="session")
async def process(settings: Settings) -> AsyncIterator[Process]:
    await migrate(settings, wiring.SCHEMA, wiring.MIGRATIONS)
    async with running(settings, "messaging", [wiring.build]) as process:
        await process.ready()
        yield process


@pytest.fixture(scope="session")
def bus(process: Process) -> Bus:
    return process.resources.bus


@pytest.fixture(scope="session")
async def world(settings: Settings, process: Process) -> AsyncIterator[World]:
    key = settings.auth_signing_key_file
    assert key is not None
    signer = Signer(key, settings.auth_issuer, settings.auth_audience)
    async with grpc.aio.insecure_channel(process.address) as channel:
        stub: thread_pb2_grpc.MessagingServiceAsyncStub = thread_pb2_grpc.MessagingServiceStub(
            channel
        )
        yield World(stub, process.resources.database, signer)


@pytest.fixture
async def parties(world: World) -> Parties:
    return await world.parties()
