"""A toy service on the chassis: it borrows the jobs' and the hiring's protos, and one table."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from grpc.aio import ServicerContext
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc
from hireflow.jobs.v1 import job_events_pb2, job_pb2, job_pb2_grpc
from services.common.auth import Kind, Principal, current_caller, require_kind, require_member
from services.common.database import Database
from services.common.errors import (
    Conflict,
    Denied,
    Exhausted,
    HireflowError,
    NotFound,
    Refused,
    Unavailable,
    Violation,
    problems,
)
from services.common.idempotency import Request, Requests
from services.common.inbox import Subscription
from services.common.outbox import Event, Outbox
from services.common.paging import Cursor, Page, beyond
from services.common.runtime import Part, Resources, Servicer

METADATA = sa.MetaData(schema="toy")
THING = sa.Table(
    "thing",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
)
HEARD = sa.Table(
    "heard",
    METADATA,
    sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("thing_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
)
OUTBOX, REQUESTS = Outbox("toy"), Requests("toy")

ERRORS: dict[str, Exception] = {
    "refused": Refused("WRONG_STATE", "it is not so", metadata={"state": "DRAFT"}),
    "incomplete": Refused(
        "JOB_INCOMPLETE", "fields lack", violations=[Violation("job.pay", "lacks")]
    ),
    "conflict": Conflict("ETAG_MISMATCH", "read again"),
    "denied": Denied("CALLER_NOT_ALLOWED", "never"),
    "unavailable": Unavailable("DEPENDENCY_UNAVAILABLE", "later"),
    "exhausted": Exhausted("LIMIT_REACHED", "too many"),
    "wordy": Refused(
        "JOB_INCOMPLETE",
        "é" * 9_000,
        metadata={"state": "é" * 9_000},
        violations=[Violation("é" * 9_000, "é" * 9_000)] * 50,
    ),
    "secret": ValueError("a secret in an error's text"),
}


@dataclass(frozen=True, slots=True)
class Thing:
    id: str
    organisation_id: str
    title: str
    create_time: datetime


async def create(
    database: Database, caller: Principal, request: Request, thing: Thing, *, fail: bool = False
) -> Thing:
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    async with database.begin() as tx:
        if (repeat := await REQUESTS.claim(tx, caller, request, Thing)) is not None:
            return repeat
        require_member(caller, thing.organisation_id)
        await tx.execute(
            sa.insert(THING).values(
                id=thing.id,
                organisation_id=thing.organisation_id,
                title=thing.title,
                create_time=thing.create_time,
            )
        )
        await OUTBOX.record(tx, created(thing))
        if fail:
            raise HireflowError("INTERNAL", "rolls back")
        await REQUESTS.answer(tx, caller, request, thing)
        return thing


def created(thing: Thing) -> Event:
    facts = job_events_pb2.JobFacts(job_id=thing.id, organisation_id=thing.organisation_id)
    return Event(job_events_pb2.JobCreated(job=facts), thing.id, thing.create_time)


def updated(thing_id: str, time: datetime) -> Event:
    facts = job_events_pb2.JobFacts(job_id=thing_id)
    return Event(job_events_pb2.JobUpdated(job=facts), thing_id, time)


async def things(connection: AsyncConnection, organisation_id: str, cursor: Cursor) -> Page[Thing]:
    rows = await connection.execute(
        sa.select(THING)
        .where(
            THING.c.organisation_id == organisation_id,
            beyond(cursor, THING.c.create_time, THING.c.id, descending=True),
        )
        .order_by(THING.c.create_time.desc(), THING.c.id.desc())
        .limit(cursor.limit)
    )
    found = [Thing(row.id, row.organisation_id, row.title, row.create_time) for row in rows]
    return cursor.page(found, key=lambda thing: (thing.create_time, thing.id))


def proto(thing: Thing) -> job_pb2.Job:
    time = Timestamp()
    time.FromDatetime(thing.create_time)
    return job_pb2.Job(
        job_id=thing.id,
        organisation_id=thing.organisation_id,
        title=thing.title,
        create_time=time,
    )


class ToyJobs(job_pb2_grpc.JobsServiceServicer):
    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.may_go_on = asyncio.Event()
        self.waiting = asyncio.Event()

    async def CreateJob(  # noqa: N802 - the proto's name
        self,
        request: job_pb2.CreateJobRequest,
        _: ServicerContext[Any, Any],
    ) -> job_pb2.CreateJobResponse:
        with problems() as p:
            p.require(request.job.title, "job.title", "must not be empty")
            p.require(request.job.positions >= 0, "job.positions", "must not be negative")
        caller = current_caller()
        thing = Thing(
            self.resources.new_id(),
            caller.organisation_id or "",
            request.job.title,
            self.resources.clock(),
        )
        done = await create(self.resources.database, caller, Request.of(request), thing)
        return job_pb2.CreateJobResponse(job=proto(done))

    async def GetJob(  # noqa: N802 - the proto's name
        self,
        request: job_pb2.GetJobRequest,
        _: ServicerContext[Any, Any],
    ) -> job_pb2.GetJobResponse:
        if request.job_id in ERRORS:
            raise ERRORS[request.job_id]
        if request.job_id == "many":
            with problems() as noted:
                for number in range(1_000):
                    noted.add(f"job.título[{number}]", "muss Wörter haben: " + "ä" * 40)
        if request.job_id == "slow":
            self.waiting.set()
            await self.may_go_on.wait()
            return job_pb2.GetJobResponse(job=job_pb2.Job(job_id="slow"))
        raise NotFound("job", request.job_id)

    async def ListJobs(  # noqa: N802 - the proto's name
        self,
        request: job_pb2.ListJobsRequest,
        _: ServicerContext[Any, Any],
    ) -> job_pb2.ListJobsResponse:
        caller = current_caller()
        organisation_id = caller.organisation_id or ""
        scope = (caller.kind, caller.id, organisation_id, tuple(request.states))
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        async with self.resources.database.read() as connection:
            page = await things(connection, organisation_id, cursor)
        return job_pb2.ListJobsResponse(
            jobs=[proto(thing) for thing in page.items], next_page_token=page.next_token
        )


class ToyHiring(hire_pb2_grpc.HiringServiceServicer):
    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    async def WatchHire(  # noqa: N802 - the proto's name
        self,
        request: hire_pb2.WatchHireRequest,
        _: ServicerContext[Any, Any],
    ) -> AsyncIterator[hire_pb2.WatchHireResponse]:
        if request.hire_id in ERRORS:
            raise ERRORS[request.hire_id]
        async with self.resources.database.listen("toy_hire", request.hire_id) as signal:
            number = 0
            while True:
                number += 1
                yield hire_pb2.WatchHireResponse(resume_token=str(number))
                await signal.wait(30)


def toy(
    made: list[ToyJobs] | None = None,
    subscriptions: tuple[Subscription, ...] = (),
    checks: dict[str, Callable[[], Awaitable[None]]] | None = None,
) -> Callable[[Resources], Part]:
    def build(resources: Resources) -> Part:
        jobs = ToyJobs(resources)  # type: ignore[abstract] # a toy serves three methods
        if made is not None:
            made.append(jobs)
        services = job_pb2.DESCRIPTOR.services_by_name, hire_pb2.DESCRIPTOR.services_by_name
        return Part(
            schema="toy",
            servicers=(
                Servicer(
                    job_pb2_grpc.add_JobsServiceServicer_to_server,
                    jobs,
                    services[0]["JobsService"].full_name,
                ),
                Servicer(
                    hire_pb2_grpc.add_HiringServiceServicer_to_server,
                    ToyHiring(resources),  # type: ignore[abstract] # as above
                    services[1]["HiringService"].full_name,
                ),
            ),
            subscriptions=subscriptions,
            checks=checks or {},
        )

    return build
