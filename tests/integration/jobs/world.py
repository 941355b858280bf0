"""What the tests of jobs share: callers, ready-made jobs, and a look at the events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

import sqlalchemy as sa

from hireflow.contracts.v1 import contract_events_pb2, contract_pb2
from hireflow.jobs.v1 import (
    folder_pb2,
    folder_pb2_grpc,
    instructions_pb2,
    instructions_pb2_grpc,
    job_pb2,
    job_pb2_grpc,
)
from services.common.auth import Kind, Principal
from services.common.database import Database
from services.common.outbox import Event, Outbox
from services.common.tables import chassis_tables
from services.common.tokens import Signer

Metadata: TypeAlias = tuple[tuple[str, str], ...]
OUTBOX = chassis_tables(sa.MetaData(schema="jobs")).outbox


def new_id(noun: str) -> str:
    return f"{noun}-{uuid4().hex[:12]}"


def complete_job(**changes: object) -> job_pb2.Job:
    """A job that lacks nothing; `changes` are fields of the message."""
    fields: dict[str, object] = {
        "title": "Rate cat pictures",
        "description": "Tell **cats** from dogs.",
        "category": "image-annotation",
        "required_languages": ["en"],
        "required_skills": ["annotation"],
        "pay": job_pb2.Pay(
            kind=job_pb2.PAY_KIND_HOURLY,
            minimum_minor_units=1500,
            maximum_minor_units=3000,
            currency_code="USD",
        ),
        "positions": 2,
    }
    return job_pb2.Job(**{**fields, **changes})  # type: ignore[arg-type] # fields by name


@dataclass(frozen=True)
class World:
    """The services of jobs as their callers reach them, and the database behind them."""

    stub: "job_pb2_grpc.JobsServiceAsyncStub"  # a name for type checkers only
    folders: "folder_pb2_grpc.FoldersServiceAsyncStub"
    instructions: "instructions_pb2_grpc.InstructionsServiceAsyncStub"
    database: Database
    signer: Signer

    def by(self, kind: Kind, organisation_id: str | None = None) -> Metadata:
        """A caller of this kind, as the metadata of a call."""
        return self.named(Principal(kind, new_id(kind), organisation_id))

    def trainer(self, trainer_id: str) -> Metadata:
        """A trainer of this name."""
        return self.named(Principal(Kind.TRAINER, trainer_id))

    def named(self, caller: Principal) -> Metadata:
        """A certain caller."""
        token = self.signer.sign(caller, timedelta(minutes=5), datetime.now(UTC))
        return (("authorization", f"Bearer {token}"),)

    async def draft(self, caller: Metadata, **changes: object) -> job_pb2.Job:
        request = job_pb2.CreateJobRequest(request_id=new_id("r"), job=complete_job(**changes))
        return (await self.stub.CreateJob(request, metadata=caller)).job

    async def publish(self, caller: Metadata, job_id: str) -> job_pb2.Job:
        request = job_pb2.PublishJobRequest(request_id=new_id("r"), job_id=job_id)
        return (await self.stub.PublishJob(request, metadata=caller)).job

    async def published(self, caller: Metadata, **changes: object) -> job_pb2.Job:
        return await self.publish(caller, (await self.draft(caller, **changes)).job_id)

    async def finish(self, caller: Metadata, job_id: str) -> job_pb2.Job:
        request = job_pb2.FinishHiringRequest(request_id=new_id("r"), job_id=job_id)
        return (await self.stub.FinishHiring(request, metadata=caller)).job

    async def reopen(self, caller: Metadata, job_id: str) -> job_pb2.Job:
        request = job_pb2.ReopenHiringRequest(request_id=new_id("r"), job_id=job_id)
        return (await self.stub.ReopenHiring(request, metadata=caller)).job

    async def archive(self, caller: Metadata, job_id: str) -> job_pb2.Job:
        request = job_pb2.ArchiveJobRequest(request_id=new_id("r"), job_id=job_id)
        return (await self.stub.ArchiveJob(request, metadata=caller)).job

    async def get(self, caller: Metadata, job_id: str) -> job_pb2.Job:
        request = job_pb2.GetJobRequest(job_id=job_id)
        return (await self.stub.GetJob(request, metadata=caller)).job

    async def reserve(self, job_id: str, hire_id: str, request_id: str = "") -> job_pb2.Job:
        request = job_pb2.ReservePositionRequest(
            request_id=request_id or new_id("r"), job_id=job_id, hire_id=hire_id
        )
        workflow = self.by(Kind.SERVICE)
        return (await self.stub.ReservePosition(request, metadata=workflow)).job

    async def release(self, job_id: str, hire_id: str, contract_id: str = "") -> bool:
        request = job_pb2.ReleasePositionRequest(
            request_id=new_id("r"), job_id=job_id, hire_id=hire_id, contract_id=contract_id
        )
        workflow = self.by(Kind.SERVICE)
        return (await self.stub.ReleasePosition(request, metadata=workflow)).released

    async def fill(
        self, job_id: str, hire_id: str, contract_id: str
    ) -> job_pb2.FillPositionResponse:
        request = job_pb2.FillPositionRequest(
            request_id=new_id("r"), job_id=job_id, hire_id=hire_id, contract_id=contract_id
        )
        return await self.stub.FillPosition(request, metadata=self.by(Kind.SERVICE))

    async def tell_work(
        self, job_id: str, trainer_id: str, contract_id: str, contract: str, milestone: str
    ) -> None:
        """Tell, as contracts would, how a contract and its one milestone stand now."""
        facts = contract_events_pb2.ContractFacts(
            contract_id=contract_id,
            job_id=job_id,
            trainer_id=trainer_id,
            state=contract_pb2.ContractState.Value(f"CONTRACT_STATE_{contract}"),
        )
        standing = contract_events_pb2.MilestoneFacts(
            milestone_id=f"m-{contract_id}",
            state=contract_pb2.MilestoneState.Value(f"MILESTONE_STATE_{milestone}"),
        )
        message = contract_events_pb2.ContractAmended(contract=facts, milestone=standing)
        async with self.database.begin() as tx:
            await Outbox("jobs").record(tx, Event(message, contract_id, datetime.now(UTC)))

    async def write(
        self, caller: Metadata, job_id: str, text: str, latest_version: int = 0
    ) -> instructions_pb2.Instructions:
        request = instructions_pb2.WriteInstructionsRequest(
            request_id=new_id("r"), job_id=job_id, text=text, latest_version=latest_version
        )
        written = await self.instructions.WriteInstructions(request, metadata=caller)
        return written.instructions

    async def invite(
        self, caller: Metadata, job_id: str, *trainer_ids: str
    ) -> job_pb2.InviteTrainersResponse:
        request = job_pb2.InviteTrainersRequest(
            request_id=new_id("r"), job_id=job_id, trainer_ids=trainer_ids
        )
        return await self.stub.InviteTrainers(request, metadata=caller)

    async def folder(
        self, caller: Metadata, name: str, description: str = "", colour: str = ""
    ) -> folder_pb2.Folder:
        folder = folder_pb2.Folder(name=name, description=description, colour=colour)
        request = folder_pb2.CreateFolderRequest(request_id=new_id("r"), folder=folder)
        return (await self.folders.CreateFolder(request, metadata=caller)).folder

    async def move(
        self, caller: Metadata, folder_id: str, *job_ids: str
    ) -> list[folder_pb2.MoveJobResult]:
        request = folder_pb2.MoveJobsRequest(
            request_id=new_id("r"), folder_id=folder_id, job_ids=job_ids
        )
        return list((await self.folders.MoveJobs(request, metadata=caller)).results)

    async def events(self, job_id: str) -> list[str]:
        """The events recorded of a job, in order, without their common prefix."""
        recorded = await self.recorded("job", job_id)
        return [row.type.removeprefix("hireflow.jobs.v1.job.") for row in recorded]

    async def recorded(self, aggregate: str, aggregate_id: str) -> Sequence[sa.Row[Any]]:
        """The rows of the outbox of one aggregate, in order."""
        query = (
            sa.select(OUTBOX)
            .where(OUTBOX.c.aggregate_type == aggregate, OUTBOX.c.aggregate_id == aggregate_id)
            .order_by(OUTBOX.c.version)
        )
        async with self.database.read() as connection:
            return (await connection.execute(query)).all()

    async def until_counted(self, caller: Metadata, job_id: str, proposals: int) -> None:
        """Wait, ten seconds at most, until a job shows this many proposals."""
        async with asyncio.timeout(10):
            while (await self.get(caller, job_id)).proposals != proposals:  # noqa: ASYNC110 - told by another task, through the service
                await asyncio.sleep(0.02)
