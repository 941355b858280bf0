"""JobsService running in this process, on the real PostgreSQL and NATS."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from hireflow.jobs.v1 import folder_pb2_grpc, instructions_pb2_grpc, job_pb2_grpc
from services.common.auth import Kind
from services.common.bus import Bus
from services.common.migrations import migrate
from services.common.runtime import Process, running
from services.common.settings import Settings
from services.common.tokens import Signer
from services.jobs import wiring
from tests.integration.jobs.world import Metadata, World, new_id


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
async def world(signer: Signer, process: Process) -> AsyncIterator[World]:
    async with grpc.aio.insecure_channel(process.address) as channel:
        stub: job_pb2_grpc.JobsServiceAsyncStub = job_pb2_grpc.JobsServiceStub(channel)
        folders: folder_pb2_grpc.FoldersServiceAsyncStub = folder_pb2_grpc.FoldersServiceStub(
            channel
        )
        instructions: instructions_pb2_grpc.InstructionsServiceAsyncStub = (
            instructions_pb2_grpc.InstructionsServiceStub(channel)
        )
        yield World(stub, folders, instructions, process.resources.database, signer)


@pytest.fixture
def organisation_id() -> str:
    return new_id("org")


@pytest.fixture
def employer(world: World, organisation_id: str) -> Metadata:
    return world.by(Kind.EMPLOYER, organisation_id)
