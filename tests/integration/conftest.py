"""Jobs, proposals and messaging in one process, hearing each other over the real NATS."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc.aio
import pytest

from deploy.local.data_dir import DataDir
from deploy.local.journey import Caller, Journey, Services, new_id
from deploy.local.keys import ensure_keys, private_key_file, public_keys_file
from hireflow.contracts.v1 import contract_pb2_grpc
from hireflow.events.v1 import events_pb2_grpc
from hireflow.hiring.v1 import hire_pb2_grpc, operations_pb2_grpc
from hireflow.jobs.v1 import folder_pb2_grpc, instructions_pb2_grpc, job_pb2_grpc
from hireflow.messaging.v1 import channel_pb2_grpc, thread_pb2_grpc
from hireflow.proposals.v1 import (
    folder_screening_pb2_grpc,
    matching_pb2_grpc,
    proposal_pb2_grpc,
    proposal_view_pb2_grpc,
    screening_pb2_grpc,
)
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.migrations import migrate
from services.common.runtime import running
from services.common.settings import Environment, Settings
from services.common.tokens import Signer
from services.jobs import wiring as jobs
from services.messaging import wiring as messaging
from services.proposals import wiring as proposals
from tests.conftest import Infrastructure


@dataclass(frozen=True, slots=True)
class Workspace:
    """The services before a hire, as their callers reach them, and the database behind them."""

    services: Services
    settings: Settings
    database: Database
    signer: Signer

    def by(self, kind: Kind, organisation_id: str | None = None) -> Caller:
        """A new caller of this kind."""
        return self.known(Principal(kind, f"{kind}-{uuid4().hex[:12]}", organisation_id))

    def known(self, who: Principal) -> Caller:
        """A caller of this very name."""
        token = self.signer.sign(who, timedelta(minutes=10), datetime.now(UTC))
        return Caller(who.id, token)

    def journey(self, organisation_id: str | None = None) -> Journey:
        """A new employer and a new trainer."""
        organisation = organisation_id or f"org-{new_id()}"
        return Journey(self.services, self.by(Kind.EMPLOYER, organisation), self.by(Kind.TRAINER))

    async def submitted(self, organisation_id: str | None = None) -> Journey:
        """A published job with one proposal."""
        journey = self.journey(organisation_id)
        await journey.publish_job()
        await journey.submit_proposal()
        return journey


@pytest.fixture(scope="session")
def settings(infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What a process of the tests is told; a room that needs more builds on it."""
    data = DataDir.at(tmp_path_factory.mktemp("integration-keys"))
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
def signer(settings: Settings) -> Signer:
    """Signs the tokens of the tests' callers."""
    key = settings.auth_signing_key_file
    assert key is not None
    return Signer(key, settings.auth_issuer, settings.auth_audience)


@pytest.fixture(scope="session")
async def workspace(settings: Settings, signer: Signer) -> AsyncIterator[Workspace]:
    parts = (jobs, proposals, messaging)
    for part in parts:
        await migrate(settings, part.SCHEMA, part.MIGRATIONS)
    async with running(settings, "workspace", [part.build for part in parts]) as process:
        await process.ready()
        async with grpc.aio.insecure_channel(process.address) as channel:
            services = Services(
                job_pb2_grpc.JobsServiceStub(channel),
                proposal_pb2_grpc.ProposalsServiceStub(channel),
                screening_pb2_grpc.ScreeningServiceStub(channel),
                contract_pb2_grpc.ContractsServiceStub(channel),
                thread_pb2_grpc.MessagingServiceStub(channel),
                hire_pb2_grpc.HiringServiceStub(channel),
                operations_pb2_grpc.OperationsServiceStub(channel),
                events_pb2_grpc.EventsServiceStub(channel),
                folder_pb2_grpc.FoldersServiceStub(channel),
                instructions_pb2_grpc.InstructionsServiceStub(channel),
                proposal_view_pb2_grpc.ProposalViewServiceStub(channel),
                channel_pb2_grpc.ChannelsServiceStub(channel),
                folder_screening_pb2_grpc.FolderScreeningServiceStub(channel),
                matching_pb2_grpc.MatchingServiceStub(channel),
            )
            yield Workspace(services, settings, process.resources.database, signer)
