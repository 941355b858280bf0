"""ContractsService on the real PostgreSQL and NATS, called over real gRPC."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.common.auth import Kind
from services.common.migrations import migrate
from services.common.runtime import running
from services.common.settings import Settings
from services.common.tokens import Signer
from services.contracts import wiring
from tests.integration.contracts.world import Agreement, Stub, World


@pytest.fixture(scope="session")
async def world(settings: Settings, signer: Signer) -> AsyncIterator[World]:
    await migrate(settings, wiring.SCHEMA, wiring.MIGRATIONS)
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
