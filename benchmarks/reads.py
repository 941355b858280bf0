"""GetProposal and ListProposals beside a handler that does nothing and one with a bare SELECT."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from sqlalchemy.engine import make_url

from benchmarks.floor import AS_ROWS, NOTHING, ROWS
from benchmarks.measuring import Timed, timed
from benchmarks.results import Measure, medians
from deploy.local.chaos.gateway import until_answered
from deploy.local.journey import Caller
from deploy.local.ports import choose_free
from deploy.local.stack import Stack
from hireflow.proposals.v1 import proposal_pb2 as pb
from hireflow.proposals.v1 import proposal_pb2_grpc
from services.proposals.domain import (
    Candidate,
    Match,
    Offer,
    Order,
    Proposal,
    RateUnit,
    ReviewState,
    Signals,
)
from services.proposals.store.listing import plain_page
from services.proposals.store.proposals import row_of
from services.proposals.store.tables import PROPOSAL
from services.proposals.wire import written

ORGANISATION = "org-benchmark"
SMALL, LARGE = 1_000, 1_000_000
IN_FLIGHT = 8
_PLACES = 2000
# In turns, so that a machine that is slower for a while is so for all of them.
_PARTS = 10
_STATES = [state for state in ReviewState if state is not ReviewState.HIRED]
_FLOORS = {
    "SELECT": "one SELECT",
    "rows": "one SELECT, its rows written out",
    "nothing": "nothing",
}
_COUNT = """
INSERT INTO proposals.proposal_count
SELECT $1, count(*) FILTER (WHERE review_state = 'UNREVIEWED'),
       count(*) FILTER (WHERE review_state = 'SHORTLISTED'),
       count(*) FILTER (WHERE review_state = 'MAYBE'),
       count(*) FILTER (WHERE review_state = 'RESUME_SENT'),
       count(*) FILTER (WHERE review_state = 'DECLINED'), 0
FROM proposals.proposal WHERE job_id = $1
"""
_JOB = """
INSERT INTO proposals.job (
    job_id, organisation_id, state, visibility, required_languages, required_skills,
    required_countries, folder_id)
VALUES ($1, $2, 'PUBLISHED', 'PUBLIC', '{en}', '{}', '{}', '')
"""


@dataclass(frozen=True)
class Sides:
    """The service and its floor, and whoever asks them."""

    ours: "proposal_pb2_grpc.ProposalsServiceAsyncStub"
    floor: "proposal_pb2_grpc.ProposalsServiceAsyncStub"
    employer: Caller


async def measure(console: Console, stack: Stack, runs: int, share: float) -> list[Measure]:
    """Fill the table by COPY, then read at random places, run by run and in turns."""
    console.print(f"  filling two jobs with {SMALL} and {LARGE} proposals")
    await _fill(stack)
    count = max(100, int(2000 * share))
    found: dict[str, list[Timed]] = {}
    async with sides_of(stack) as sides:
        tokens = {size: await _tokens(sides, size) for size in (SMALL, LARGE)}
        for run in range(runs):
            console.print(f"  run {run + 1}: {count} calls of each, {IN_FLIGHT} in flight")
            await _forget(stack, sides)
            pids = {name: stack.process(name).pid or 0 for name in ("proposals", "postgres")}
            works = _works(sides, tokens, count)
            for part in range(_PARTS):
                for name, calls in works.items():
                    timing = await timed(calls[part::_PARTS], IN_FLIGHT, pids)
                    found.setdefault(name, []).append(timing)
    plans = await _plans(stack)
    for name, plan in plans.items():
        console.print(f"[dim]{name}[/]\n{plan}")
    return _told(found)


def _told(found: dict[str, list[Timed]]) -> list[Measure]:
    measures = []
    for call in ("Get", "List"):
        for size in (SMALL, LARGE):
            rate = medians(found[f"{call} {size}"], "rate")
            measures += [
                Measure(
                    f"{call}Proposal{'s' * (call == 'List')} per second, {size:,} proposals",
                    rate,
                    medians(found[f"{call} {floor}"], "rate"),
                    f"of a handler with {words}",
                    wanted=">= 0.8" if floor == "SELECT" else "",
                )
                for floor, words in _FLOORS.items()
                if f"{call} {floor}" in found
            ]
    measures += [
        Measure(
            f"CountProposals, {size:,} proposals, p50 ms",
            medians(found[f"Count {size}"], "p50"),
            medians(found["List SELECT"], "p50"),
            "ms of a handler with one SELECT",
            wanted="<= 2",
        )
        for size in (SMALL, LARGE)
    ]
    measures.append(
        Measure(
            "a page of 50 at 1,000,000, p50 ms",
            medians(found[f"List {LARGE}"], "p50"),
            medians(found[f"List {SMALL}"], "p50"),
            "ms at 1,000",
            wanted="<= 1.1",
        )
    )
    return measures


def _works(
    sides: Sides, tokens: Mapping[int, Sequence[str]], calls: int
) -> dict[str, list[Callable[[], Awaitable[None]]]]:
    chance = random.Random(calls)  # noqa: S311 - places to read, no secret

    def somewhere(size: int) -> str:
        return f"{_job_id(size)}-{chance.randint(1, size)}"

    works = {
        "Get nothing": [_get(sides, sides.floor, NOTHING) for _ in range(calls)],
        "Get SELECT": [_get(sides, sides.floor, somewhere(LARGE)) for _ in range(calls)],
        "List nothing": [_page_of(sides, sides.floor, NOTHING) for _ in range(calls)],
        "List SELECT": [_page_of(sides, sides.floor, _job_id(LARGE)) for _ in range(calls)],
        "List rows": [_page_of(sides, sides.floor, _job_id(LARGE), AS_ROWS) for _ in range(calls)],
    }
    for size in (SMALL, LARGE):
        works[f"Get {size}"] = [_get(sides, sides.ours, somewhere(size)) for _ in range(calls)]
        works[f"List {size}"] = [
            _page_of(sides, sides.ours, _job_id(size), chance.choice(tokens[size]))
            for _ in range(calls)
        ]
        works[f"Count {size}"] = [_count(sides, sides.ours, _job_id(size)) for _ in range(calls)]
    return works


def _get(
    sides: Sides, stub: "proposal_pb2_grpc.ProposalsServiceAsyncStub", proposal_id: str
) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        await sides.employer.call(stub.GetProposal, pb.GetProposalRequest(proposal_id=proposal_id))

    return call


def _page_of(
    sides: Sides, stub: "proposal_pb2_grpc.ProposalsServiceAsyncStub", job_id: str, token: str = ""
) -> Callable[[], Awaitable[None]]:
    request = pb.ListProposalsRequest(job_id=job_id, page_size=ROWS, page_token=token)

    async def call() -> None:
        answer = await sides.employer.call(stub.ListProposals, request)
        if len(answer.proposals) != ROWS:
            raise AssertionError(f"a page of {len(answer.proposals)}")

    return call


def _count(
    sides: Sides, stub: "proposal_pb2_grpc.ProposalsServiceAsyncStub", job_id: str
) -> Callable[[], Awaitable[None]]:
    request = pb.CountProposalsRequest(job_id=job_id)

    async def call() -> None:
        answer = await sides.employer.call(stub.CountProposals, request)
        if not answer.total:
            raise AssertionError("nothing counted")

    return call


async def _forget(stack: Stack, sides: Sides) -> None:
    """Start PostgreSQL anew, so that its buffers are empty, and wait for both sides to serve."""
    await stack.restart("postgres")
    request = pb.GetProposalRequest(proposal_id=f"{_job_id(SMALL)}-1")
    for stub in (sides.ours, sides.floor):
        await until_answered(lambda: sides.employer.call(stub.GetProposal, request))  # noqa: B023 - awaited at once


async def _tokens(sides: Sides, size: int) -> list[str]:
    """Places to go on from, walked to page by page."""
    tokens, token = [""], ""
    for _ in range(_PLACES):
        request = pb.ListProposalsRequest(job_id=_job_id(size), page_size=ROWS, page_token=token)
        token = (await sides.employer.call(sides.ours.ListProposals, request)).next_page_token
        if not token:
            return tokens[:-1]  # the last page is shorter than the ones to read
        tokens.append(token)
    return tokens


@asynccontextmanager
async def sides_of(stack: Stack) -> AsyncIterator[Sides]:
    """Run the floor beside the stack, in a process of its own."""
    address = f"127.0.0.1:{choose_free()}"
    environment = {
        **stack.environment("proposals"),
        "HIREFLOW_LISTEN": address,
        "HIREFLOW_LOG_LEVEL": "WARNING",
    }
    floor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.floor", env=environment
    )
    token = stack.mint_token("employer", sub="employer-1", org=ORGANISATION)
    try:
        async with (
            grpc.aio.insecure_channel(stack.addresses.proposals) as ours,
            grpc.aio.insecure_channel(address) as theirs,
        ):
            health: Any = health_pb2_grpc.HealthStub(theirs)
            while True:
                answer = await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    break
                await asyncio.sleep(0.1)
            yield Sides(
                proposal_pb2_grpc.ProposalsServiceStub(ours),
                proposal_pb2_grpc.ProposalsServiceStub(theirs),
                Caller("employer-1", token),
            )
    finally:
        floor.terminate()
        await floor.wait()


def _job_id(size: int) -> str:
    return f"job-{size}"


@asynccontextmanager
async def _connection(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    address = stack.addresses.postgres_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        await connection.close()


async def _fill(stack: Stack) -> None:
    async with _connection(stack) as connection:
        # A trigger per row is for rows that come one by one.
        await connection.execute("ALTER TABLE proposals.proposal DISABLE TRIGGER proposal_counted")
        for size in (SMALL, LARGE):
            await connection.execute(_JOB, _job_id(size), ORGANISATION)
            await connection.copy_records_to_table(
                PROPOSAL.name,
                schema_name=PROPOSAL.schema,
                columns=[*row_of(_proposal(size, 1), b"")],
                records=_rows(size),
            )
            await connection.execute(_COUNT, _job_id(size))
        await connection.execute("ALTER TABLE proposals.proposal ENABLE TRIGGER proposal_counted")
        await connection.execute("VACUUM ANALYZE proposals.proposal")


def _rows(size: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, size + 1):
        proposal = _proposal(size, number)
        yield tuple(row_of(proposal, written(proposal)).values())


def _proposal(size: int, number: int) -> Proposal:
    """Make one of a job's proposals, one second older than the next, none like its neighbour."""
    now = datetime.now(UTC)
    return Proposal(
        proposal_id=f"{_job_id(size)}-{number}",
        job_id=_job_id(size),
        organisation_id=ORGANISATION,
        candidate=Candidate(f"trainer-{number}", "Jordan L.", "DE", "Physician"),
        offer=Offer("m" * 200, "s" * 100, 4000 + number % 5000, "USD", RateUnit.HOUR),
        match=Match(number % 101, ("language:en",), ()),
        review_state=_STATES[number % len(_STATES)],
        withdrawn=False,
        hire_id="",
        version=1,
        create_time=now - timedelta(seconds=size - number),
        update_time=now,
        signals=Signals(interview_score=number % 102 - 1 if number % 102 else None),
    )


async def _plans(stack: Stack) -> dict[str, str]:
    """How PostgreSQL runs the service's own statement for a page in the middle of each job."""
    dialect = make_url("postgresql+asyncpg://").get_dialect()()
    compiled = plain_page((), Order.NEWEST, further=True).compile(dialect=dialect)
    middle = datetime.now(UTC)
    plans = {}
    async with _connection(stack) as connection:
        for size in (SMALL, LARGE):
            told = {
                **compiled.params,
                "of_job": _job_id(size),
                "reach": ROWS + 1,
                "size": ROWS + 1,
                "after_0": middle - timedelta(seconds=size // 2),
                "after_1": "",
            }
            values = [told[name] for name in compiled.positiontup or ()]
            explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) "
            rows = await connection.fetch(explain + str(compiled), *values)
            plans[f"a page of {ROWS} at {size:,}"] = "\n".join(row[0] for row in rows)
    return plans
