"""JobsService running in this process, on the real PostgreSQL and NATS."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from deploy.local.data_dir import DataDir
from deploy.local.keys import ensure_keys, private_key_file, public_keys_file
from hireflow.jobs.v1 import job_pb2_grpc
from services.common.auth import Kind
from services.common.bus import Bus
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Environment, Settings
from services.common.tokens import Signer
from services.jobs import wiring
from tests.conftest import Infrastructure
from tests.integration.jobs.world import Metadata, World, new_id


@pytest.fixture(scope="session")
def settings(infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = DataDir.at(Path(tmp_path_factory.mktemp("jobs-keys")))
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
    async with running(settings, "jobs", [wiring.build]) as process:
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
        stub: job_pb2_grpc.JobsServiceAsyncStub = job_pb2_grpc.JobsServiceStub(channel)
        yield World(stub, process.resources.database, signer)


@pytest.fixture
def organisation_id() -> str:
    return new_id("org")


@pytest.fixture
def employer(world: World, organisation_id: str) -> Metadata:
    return world.by(Kind.EMPLOYER, organisation_id)
