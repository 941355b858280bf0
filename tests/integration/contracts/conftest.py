"""ContractsService on the real PostgreSQL and NATS, called over real gRPC."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from deploy.local import keys
from deploy.local.data_dir import DataDir
from services.common.auth import Kind
from services.common.migrations import migrate
from services.common.runtime import running
from services.common.settings import Environment, Settings
from services.common.tokens import Signer
from services.contracts import wiring
from tests.integration.contracts.world import Agreement, Stub, World


class Infrastructure(Protocol):
    """Where the real parts answer."""

    @property
    def postgres_url(self) -> str: ...

    @property
    def nats_url(self) -> str: ...


@pytest.fixture(scope="session")
async def settings(
    infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    data = DataDir.at(Path(tmp_path_factory.mktemp("contracts-keys")))
    keys.ensure_keys(data)
    return Settings.model_validate(
        {
            "env": Environment.TEST,
            "database_url": infrastructure.postgres_url,
            "nats_url": infrastructure.nats_url,
            "auth_keys": str(keys.public_keys_file(data)),
            "auth_signing_key_file": keys.private_key_file(data),
            "log_format": "console",
            "log_level": "WARNING",
            "shutdown_grace": 1.0,
        }
    )


@pytest.fixture(scope="session")
async def world(settings: Settings) -> AsyncIterator[World]:
    await migrate(settings, wiring.SCHEMA, wiring.MIGRATIONS)
    key_file = settings.auth_signing_key_file
    assert key_file is not None
    signer = Signer(key_file, settings.auth_issuer, settings.auth_audience)
    async with running(settings, "contracts", [wiring.build]) as process:
        await process.ready()
        world = World(
            process.address,
            process.resources.database,
            process.resources.bus,
            lambda caller: signer.sign(caller, timedelta(minutes=10), datetime.now(UTC)),
        )
        yield world
        await world.close()


@pytest.fixture(scope="session")
def hiring(world: World) -> Stub:
    """The hire workflow."""
    return world.caller(Kind.SERVICE, "service:hiring")


@pytest.fixture
def agreement() -> Agreement:
    return Agreement.new()
