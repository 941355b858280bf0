"""HiringService and the webhook running in this process, on the real PostgreSQL and NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio
import pytest

from hireflow.hiring.v1 import hire_pb2_grpc, operations_pb2_grpc
from services.common.migrations import migrate
from services.common.runtime import Part, Resources, running
from services.common.settings import Settings
from services.common.tokens import Signer
from tests.conftest import Infrastructure
from tests.integration.hiring import fakes
from tests.integration.hiring.world import World, new_id
from workflows.hiring import wiring
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.webhook_server import bind
from workflows.payments.webhook import PATH
from workflows.settings import HiringSettings, settings_of

WEBHOOK_SECRET = "whsec_of_the_tests"


@pytest.fixture(scope="session")
def settings(settings: Settings, infrastructure: Infrastructure) -> HiringSettings:
    """The settings of all rooms, and those of the hire."""
    own = {
        "temporal_address": infrastructure.temporal_address,
        "stripe_api_key": "sk_test_hiring",
        "stripe_webhook_secret": WEBHOOK_SECRET,
        "webhook_listen": "127.0.0.1:0",
        "answer_wait": 0.02,
        "log_level": "ERROR",
    }
    return HiringSettings.model_validate({**settings.model_dump(), **own})


@dataclass
class Surroundings:
    """The stand-ins of one world; its desk and webhook appear when a process is built."""

    neighbours: fakes.Neighbours = field(default_factory=fakes.Neighbours)
    stories: fakes.Stories = field(default_factory=fakes.Stories)
    provider: fakes.Provider = field(default_factory=fakes.Provider)
    desks: list[Desk] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)

    def build(self, resources: Resources) -> Part:
        settings = settings_of(resources)
        desk = Desk(
            hiring=wiring.hiring_of(resources),
            neighbours=self.neighbours,
            stories=self.stories,
            customers=fakes.Customers(self.provider),
            intents=fakes.Intents(),
            policy=settings.hire_policy,
            env=settings.env,
        )
        listening = bind(settings.webhook_listen)
        host, port = listening.getsockname()
        self.desks.append(desk)
        self.webhooks.append(f"http://{host}:{port}{PATH}")
        return wiring.part(desk, self.stories, settings, resources, listening)


@asynccontextmanager
async def served(settings: HiringSettings, around: Surroundings) -> AsyncIterator[grpc.aio.Channel]:
    async with running(settings, "hiring", [around.build]) as process:
        await process.ready()
        async with grpc.aio.insecure_channel(process.address) as channel:
            yield channel


@pytest.fixture(scope="session")
async def world(settings: HiringSettings, signer: Signer) -> AsyncIterator[World]:
    """Two processes on one database: one answers at once, the other waits for something to tell."""
    await migrate(settings, wiring.SCHEMA, wiring.MIGRATIONS)
    around = Surroundings()
    patient = settings.model_copy(update={"answer_wait": 8.0})
    async with served(settings, around) as channel, served(patient, around) as patient_channel:
        yield World(
            stub=hire_pb2_grpc.HiringServiceStub(channel),
            patient=hire_pb2_grpc.HiringServiceStub(patient_channel),
            operations=operations_pb2_grpc.OperationsServiceStub(patient_channel),
            desk=around.desks[0],
            neighbours=around.neighbours,
            stories=around.stories,
            provider=around.provider,
            signer=signer,
            webhook=around.webhooks[0],
        )


@pytest.fixture
def organisation_id() -> str:
    return new_id("org")
