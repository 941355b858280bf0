"""Each read model that services keep of each other is rebuilt and ends in the same rows."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from hireflow.contracts.v1 import contract_events_pb2, contract_pb2
from hireflow.events.v1 import events_pb2, events_pb2_grpc
from hireflow.jobs.v1 import folder_events_pb2, job_events_pb2, job_pb2
from hireflow.messaging.v1 import thread_events_pb2, thread_pb2
from hireflow.proposals.v1 import proposal_events_pb2, proposal_pb2
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.inbox import Subscription
from services.common.migrations import migrate
from services.common.outbox import Event, Outbox
from services.common.runtime import running
from services.common.settings import Settings
from services.common.tokens import Signer
from services.contracts import wiring as contracts
from services.jobs import events as jobs_events
from services.jobs import wiring as jobs
from services.messaging import events as messaging_events
from services.messaging import neighbours as messaging_neighbours
from services.messaging import wiring as messaging
from services.proposals import events as proposals_events
from services.proposals import neighbours
from services.proposals import wiring as proposals
from tests.common.conftest import nats_server
from tests.waiting import until

CONSUMERS = [
    ("jobs", jobs_events.PROPOSALS),
    ("jobs", jobs_events.CONTRACTS),
    ("proposals", proposals_events.JOBS),
    ("proposals", proposals_events.FOLDERS),
    ("proposals", neighbours.THREADS),
    ("messaging", messaging_events.PROPOSALS),
    ("messaging", messaging_neighbours.JOBS),
]
Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class House:
    """The services in one process, on a database and a stream that nobody else has."""

    database: Database
    stub: "events_pb2_grpc.EventsServiceAsyncStub"
    metadata: tuple[tuple[str, str], ...]

    async def tell(self, schema: str, aggregate_id: str, *messages: Message) -> None:
        """Let a service's outbox tell events."""
        now = datetime.now(UTC)
        async with self.database.begin() as tx:
            events = [Event(message, aggregate_id, now) for message in messages]
            await Outbox(schema).record(tx, *events)

    async def rows(self, schema: str, subscription: Subscription) -> Rows:
        """All rows of a read model, and the positions behind them, in an order of their own."""
        inbox = sa.table("inbox", sa.column("consumer"), schema=schema)
        everything = sa.select(sa.text("*"))
        queries = {
            name: everything.select_from(sa.table(name, schema=schema))
            for name in subscription.read_model
        }
        queries["inbox"] = everything.select_from(inbox).where(
            inbox.c.consumer == subscription.consumer
        )
        async with self.database.read() as connection:
            return {
                name: sorted((tuple(row) for row in await connection.execute(query)), key=repr)
                for name, query in queries.items()
            }

    async def rebuild(self, consumer: str) -> int:
        request = events_pb2.RebuildReadModelRequest(
            request_id=uuid4().hex, consumer=consumer, reason="mended"
        )
        return (await self.stub.RebuildReadModel(request, metadata=self.metadata)).aggregates


@pytest.fixture(scope="module")
async def house(
    settings: Settings, signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    url = make_url(settings.database_url.get_secret_value())
    name = f"rebuilding_{os.urandom(4).hex()}"
    server = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    folder: Path = tmp_path_factory.mktemp("rebuilding-nats")
    async with nats_server(folder) as nats:
        own_url = url.set(database=name).render_as_string(hide_password=False)
        own = settings.model_copy(
            update={
                "database_url": SecretStr(own_url),
                "nats_url": SecretStr(f"nats://127.0.0.1:{nats.port}"),
            }
        )
        parts = (jobs, proposals, messaging, contracts)
        for part in parts:
            await migrate(own, part.SCHEMA, part.MIGRATIONS)
        operator = Principal(Kind.OPERATOR, "olga")
        token = signer.sign(operator, timedelta(minutes=10), datetime.now(UTC))
        async with running(own, "house", [part.build for part in parts]) as process:
            await process.ready()
            async with grpc.aio.insecure_channel(process.address) as channel:
                yield House(
                    process.resources.database,
                    events_pb2_grpc.EventsServiceStub(channel),
                    (("authorization", f"Bearer {token}"),),
                )


async def _live(house: House, number: int) -> None:
    """One job's life as its services tell it: every third proposal withdrawn, one folder gone."""
    job_id, folder_id = f"job-{number}", f"folder-{number}"
    facts = job_events_pb2.JobFacts(
        job_id=job_id,
        organisation_id="org-1",
        state=job_pb2.JOB_STATE_PUBLISHED,
        visibility=job_pb2.JOB_VISIBILITY_INVITE_ONLY,
        required_languages=["en", "sw"],
        folder_id=folder_id,
    )
    finished = job_events_pb2.JobFacts()
    finished.CopyFrom(facts)
    finished.state = job_pb2.JOB_STATE_HIRING_DONE
    folder = folder_events_pb2.FolderChanged(folder_id=folder_id, organisation_id="org-1")
    gone = folder_events_pb2.FolderChanged(
        folder_id=folder_id, organisation_id="org-1", deleted=True
    )
    await house.tell("jobs", folder_id, folder, gone if number % 3 == 0 else folder)
    await house.tell(
        "jobs",
        job_id,
        job_events_pb2.JobPublished(job=facts),
        job_events_pb2.JobTrainersInvited(job=facts, trainer_ids=["ada", "bo", "cy"]),
        job_events_pb2.JobInvitationRevoked(job=facts, trainer_id="bo"),
        job_events_pb2.JobHiringFinished(job=finished),
    )
    proposal_id, contract_id = f"proposal-{number}", f"contract-{number}"
    proposal = proposal_events_pb2.ProposalFacts(
        proposal_id=proposal_id,
        job_id=f"job-{number % 2}",
        organisation_id="org-1",
        trainer_id="ada",
        review_state=proposal_pb2.REVIEW_STATE_UNREVIEWED,
    )
    withdrawn = proposal_events_pb2.ProposalWithdrawn(proposal=proposal)
    reviewed = proposal_events_pb2.ProposalReviewStateChanged(proposal=proposal)
    await house.tell(
        "proposals",
        proposal_id,
        proposal_events_pb2.ProposalSubmitted(proposal=proposal),
        withdrawn if number % 3 == 0 else reviewed,
    )
    contract = contract_events_pb2.ContractFacts(
        contract_id=contract_id,
        organisation_id="org-1",
        trainer_id="ada",
        job_id=job_id,
        proposal_id=proposal_id,
        state=contract_pb2.CONTRACT_STATE_PENDING,
    )
    milestone = contract_events_pb2.MilestoneFacts(
        milestone_id="m-1", state=contract_pb2.MILESTONE_STATE_NOT_FUNDED
    )
    active = contract_events_pb2.ContractFacts()
    active.CopyFrom(contract)
    active.state = contract_pb2.CONTRACT_STATE_ACTIVE
    thread = thread_events_pb2.ThreadCreated(
        thread_id=f"thread-{number}",
        kind=thread_pb2.THREAD_KIND_PROPOSAL,
        organisation_id="org-1",
        proposal_id=proposal_id,
    )
    sent = thread_events_pb2.MessageSent(thread_id=f"thread-{number}", sequence=1)
    await house.tell("messaging", f"thread-{number}", thread, sent)
    await house.tell(
        "contracts",
        contract_id,
        contract_events_pb2.ContractCreated(contract=contract),
        contract_events_pb2.MilestoneCreated(contract=contract, milestone=milestone),
        contract_events_pb2.ContractActivated(contract=active),
    )


async def _settled(house: House, schema: str, subscription: Subscription, positions: int) -> Rows:
    """The rows once the last event of as many aggregates is applied."""
    last = {"job": 4, "proposal": 2, "contract": 3, "folder": 2, "thread": 2}

    async def is_settled() -> bool:
        names = ("consumer", "aggregate_type", "version", "holds")
        table = sa.table("inbox", *map(sa.column, names), schema=schema)
        query = sa.select(table).where(table.c.consumer == subscription.consumer)
        async with house.database.read() as connection:
            found = (await connection.execute(query)).all()
        reached = [row.version == last[row.aggregate_type] and not row.holds for row in found]
        return len(reached) == positions and all(reached)

    await until(is_settled)
    return await house.rows(schema, subscription)


@pytest.mark.parametrize(
    ("schema", "subscription"), CONSUMERS, ids=[each.consumer for _, each in CONSUMERS]
)
async def test_a_read_model_that_lost_and_gained_rows_ends_in_the_rows_that_it_had(
    house: House, schema: str, subscription: Subscription
) -> None:
    if not (await house.rows("proposals", proposals_events.JOBS))["job"]:
        for number in range(6):
            await _live(house, number)
    before = await _settled(house, schema, subscription, 6)
    assert all(before.values())
    async with house.database.begin() as tx:
        for name in subscription.read_model:
            table = sa.table(name, schema=schema)
            await tx.execute(sa.delete(table).where(sa.func.random() < 0.5))
    assert await house.rebuild(subscription.consumer) == 6

    async def is_back() -> bool:
        return await house.rows(schema, subscription) == before

    await until(is_back)
