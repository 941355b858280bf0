"""MessagingService running in this process, on the real PostgreSQL and NATS."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from hireflow.messaging.v1 import channel_pb2_grpc, thread_pb2_grpc
from services.common.bus import Bus
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Settings
from services.common.tokens import Signer
from services.messaging import wiring
from tests.integration.messaging.site import Site, site_of
from tests.integration.messaging.world import Parties, World


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
async def world(signer: Signer, process: Process) -> AsyncIterator[World]:
    async with grpc.aio.insecure_channel(process.address) as channel:
        stub: thread_pb2_grpc.MessagingServiceAsyncStub = thread_pb2_grpc.MessagingServiceStub(
            channel
        )
        channels: channel_pb2_grpc.ChannelsServiceAsyncStub = channel_pb2_grpc.ChannelsServiceStub(
            channel
        )
        yield World(stub, channels, process.resources.database, signer)


@pytest.fixture
async def parties(world: World) -> Parties:
    return await world.parties()


@pytest.fixture
async def site(world: World) -> Site:
    """A job whose hires join its channels by themselves."""
    return await site_of(world, adds_hires=True)
