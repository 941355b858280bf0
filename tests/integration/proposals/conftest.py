"""ProposalsService on the real PostgreSQL and NATS, beside the jobs whose events it hears."""

import pytest

from tests.integration.conftest import Workspace
from tests.integration.proposals import folders
from tests.integration.proposals.folders import Folder
from tests.integration.proposals.world import Offered, World


@pytest.fixture
def world(workspace: Workspace) -> World:
    return World(workspace)


@pytest.fixture
async def folder(world: World) -> Folder:
    return await folders.begin(world)


@pytest.fixture
async def offered(world: World) -> Offered:
    return await world.offered()
