"""What the tests of proposals share: callers, known jobs, proposals, a look at the events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.journey import Caller
from hireflow.common.v1 import money_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.tables import chassis_tables
from services.proposals.domain import Job
from services.proposals.use_cases.access import WORKER_ID
from services.proposals.use_cases.known_jobs import learn_job
from tests.integration.conftest import Workspace

State: TypeAlias = "pb.ReviewState.ValueType"
OUTBOX = chassis_tables(sa.MetaData(schema="proposals")).outbox
PROFILE = pb.Profile(
    first_name="Jordan",
    last_name="Lee",
    country="DE",
    title="Physician and annotator",
    languages=["en"],
    skills=["medicine"],
    resume_reference="cv-1",
)


def new_id(noun: str) -> str:
    return f"{noun}-{uuid4().hex[:12]}"


def offer(job_id: str, minor_units: int = 6000) -> pb.SubmitProposalRequest:
    """A proposal that lacks nothing."""
    amount = money_pb2.Money(minor_units=minor_units, currency_code="USD")
    return pb.SubmitProposalRequest(
        request_id=new_id("r"),
        job_id=job_id,
        message="I rate what doctors write.",
        summary="Ten years in wards.",
        rate=pb.Rate(amount=amount, unit=pb.RATE_UNIT_HOUR),
    )


@contextmanager
def statements(connection: AsyncConnection) -> Iterator[list[str]]:
    """The statements that a connection sends meanwhile."""
    told = list[str]()

    def note(_: object, __: object, statement: str, *___: object) -> None:
        told.append(statement)

    told_of = connection.sync_connection, "before_cursor_execute", note
    sa.event.listen(*told_of)
    yield told
    sa.event.remove(*told_of)


@dataclass(frozen=True, slots=True)
class Offered:
    """A proposal, and the two whom it concerns."""

    proposal_id: str
    job: Job
    trainer: Caller
    employer: Caller


@dataclass(frozen=True, slots=True)
class World:
    """ProposalsService as its callers reach it, and the database behind it."""

    workspace: Workspace

    @property
    def stub(self) -> "proposal_pb2_grpc.ProposalsServiceAsyncStub":
        return self.workspace.services.proposals

    @property
    def database(self) -> Database:
        return self.workspace.database

    def by(self, kind: Kind, organisation_id: str | None = None) -> Caller:
        return self.workspace.by(kind, organisation_id)

    @property
    def hires(self) -> Caller:
        """The worker that carries out the hires."""
        return self.workspace.known(Principal(Kind.SERVICE, WORKER_ID))

    async def learn(self, job: Job, **changes: object) -> Job:
        """Let proposals know a job, as its events would."""
        job = replace(job, **changes)  # type: ignore[arg-type] # fields by name
        async with self.database.begin() as tx:
            await learn_job(tx, job)
        return job

    async def job(self, **changes: object) -> Job:
        """A published job of a new organisation, known to proposals."""
        needs = ("en",), ("medicine", "writing"), ("DE", "US")
        job = Job(new_id("job"), new_id("org"), "PUBLISHED", "PUBLIC", *needs)
        return await self.learn(job, **{"publish_time": datetime.now(UTC), **changes})

    async def trainer(self) -> Caller:
        """A new trainer with a profile."""
        trainer = self.by(Kind.TRAINER)
        request = pb.UpsertProfileRequest(request_id=new_id("r"), profile=PROFILE)
        await trainer.call(self.stub.UpsertProfile, request)
        return trainer

    async def offered(self, job: Job | None = None, minor_units: int = 6000) -> Offered:
        """A new trainer's proposal, for a new job unless one is given."""
        job, trainer = job or await self.job(), await self.trainer()
        own = await self.submit(trainer, offer(job.job_id, minor_units))
        return Offered(own.proposal_id, job, trainer, self.by(Kind.EMPLOYER, job.organisation_id))

    async def submit(self, trainer: Caller, request: pb.SubmitProposalRequest) -> pb.OwnProposal:
        return (await trainer.call(self.stub.SubmitProposal, request)).proposal

    async def withdraw(self, offered: Offered) -> pb.OwnProposal:
        request = pb.WithdrawProposalRequest(
            request_id=new_id("r"), proposal_id=offered.proposal_id
        )
        return (await offered.trainer.call(self.stub.WithdrawProposal, request)).proposal

    async def status(self, offered: Offered) -> str:
        """What the trainer sees."""
        request = pb.GetOwnProposalRequest(proposal_id=offered.proposal_id)
        own = (await offered.trainer.call(self.stub.GetOwnProposal, request)).proposal
        return pb.ProposalStatus.Name(own.status).removeprefix("PROPOSAL_STATUS_")

    async def get(self, caller: Caller, proposal_id: str) -> pb.Proposal:
        request = pb.GetProposalRequest(proposal_id=proposal_id)
        return (await caller.call(self.stub.GetProposal, request)).proposal

    async def review(self, offered: Offered, state: State, etag: str = "") -> pb.Proposal:
        request = pb.SetReviewStateRequest(
            request_id=new_id("r"), proposal_id=offered.proposal_id, review_state=state, etag=etag
        )
        return (await offered.employer.call(self.stub.SetReviewState, request)).proposal

    def wish(
        self, offered: Offered, hire_id: str, *, confirm_declined: bool = False
    ) -> pb.ReserveProposalRequest:
        """What a hire asks for, under a new request."""
        return pb.ReserveProposalRequest(
            request_id=new_id("r"),
            proposal_id=offered.proposal_id,
            hire_id=hire_id,
            organisation_id=offered.job.organisation_id,
            confirm_declined=confirm_declined,
        )

    async def reserve(
        self, offered: Offered, hire_id: str, *, confirm_declined: bool = False
    ) -> pb.Proposal:
        request = self.wish(offered, hire_id, confirm_declined=confirm_declined)
        return (await self.hires.call(self.stub.ReserveProposal, request)).proposal

    async def release(self, offered: Offered, hire_id: str, contract_id: str = "") -> bool:
        request = pb.ReleaseProposalRequest(
            request_id=new_id("r"),
            proposal_id=offered.proposal_id,
            hire_id=hire_id,
            contract_id=contract_id,
        )
        return (await self.hires.call(self.stub.ReleaseProposal, request)).released

    async def mark_hired(self, offered: Offered, hire_id: str, contract_id: str) -> pb.Proposal:
        request = pb.MarkHiredRequest(
            request_id=new_id("r"),
            proposal_id=offered.proposal_id,
            hire_id=hire_id,
            contract_id=contract_id,
        )
        return (await self.hires.call(self.stub.MarkHired, request)).proposal

    async def count(self, caller: Caller, job_id: str) -> pb.CountProposalsResponse:
        return await caller.call(self.stub.CountProposals, pb.CountProposalsRequest(job_id=job_id))

    async def events(self, identifier: str, noun: str = "proposal") -> list[str]:
        """The events recorded of a proposal or screening, in order, without their common prefix."""
        query = (
            sa.select(OUTBOX.c.type)
            .where(OUTBOX.c.aggregate_type == noun, OUTBOX.c.aggregate_id == identifier)
            .order_by(OUTBOX.c.version)
        )
        async with self.database.read() as connection:
            types = (await connection.execute(query)).scalars().all()
        return [each.removeprefix(f"hireflow.proposals.v1.{noun}.") for each in types]
