"""ProposalsService on the real PostgreSQL and NATS, beside the jobs whose events it hears."""

import pytest

from tests.integration.conftest import Workspace
from tests.integration.proposals.world import Offered, World


@pytest.fixture
def world(workspace: Workspace) -> World:
    return World(workspace)


@pytest.fixture
async def offered(world: World) -> Offered:
    return await world.offered()
