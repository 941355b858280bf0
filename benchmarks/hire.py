"""Hires per second and their latency, beside a bare workflow's on the same Temporal server."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.console import Console
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.bare import BareWorkflow
from benchmarks.measuring import Timed, timed
from benchmarks.results import Measure, medians
from deploy.local.applications import SERVICES
from deploy.local.chaos.gateway import until_answered
from deploy.local.journey import Browser, Caller, Journey, Services, new_id, open_services
from deploy.local.stack import Stack
from hireflow.hiring.v1 import hire_pb2

IN_FLIGHT = {1: 20, 20: 100, 100: 200}
PARTS = (*SERVICES, "hiring", "worker", "postgres", "nats", "temporal", "stripe")
_PREPARED_AT_ONCE = 8


@dataclass(frozen=True)
class Arena:
    """What a run needs."""

    stack: Stack
    services: Services
    browser: Browser
    temporal: Client
    queue: str
    pids: dict[str, int]


async def measure(console: Console, stack: Stack, runs: int, share: float) -> list[Measure]:
    """Measure at 1, 20 and 100 in flight; `share` of the usual number of hires."""
    found: dict[tuple[int, str], list[Timed]] = {}
    async with arena_of(stack) as arena:
        # The first hires load code and fill pools.
        await _hires(arena, 4, 2)
        await _bare(arena, 4, 2)
        for run in range(runs):
            for in_flight, usual in IN_FLIGHT.items():
                count = max(in_flight, int(usual * share))
                console.print(f"  run {run + 1}: {count} with {in_flight} in flight")
                found.setdefault((in_flight, "bare"), []).append(
                    await _bare(arena, count, in_flight)
                )
                found.setdefault((in_flight, "hire"), []).append(
                    await _hires(arena, count, in_flight)
                )
    return [measure for in_flight in IN_FLIGHT for measure in _told(in_flight, found)]


def _told(in_flight: int, found: dict[tuple[int, str], list[Timed]]) -> list[Measure]:
    hires, bare = found[in_flight, "hire"], found[in_flight, "bare"]
    with_load = f"{in_flight} in flight"
    spent: dict[str, float] = {}
    for each in hires:
        for name, seconds in each.cpu.items():
            spent[name] = spent.get(name, 0.0) + seconds * 1000 / len(each.each) / len(hires)
    return [
        Measure(
            f"hires per second, {with_load}",
            medians(hires, "rate"),
            medians(bare, "rate"),
            "bare workflows per second",
            wanted=">= 0.8",
        ),
        Measure(
            f"hire p50 ms, {with_load}",
            medians(hires, "p50"),
            medians(bare, "p50"),
            "bare workflow p50 ms",
            wanted="<= 1.3",
        ),
        Measure(
            f"hire p99 ms, {with_load}",
            medians(hires, "p99"),
            medians(bare, "p99"),
            "bare workflow p99 ms",
        ),
        Measure(
            f"CPU ms per hire, {with_load}",
            sum(spent.values()),
            sum(sum(each.cpu.values()) * 1000 / len(each.each) for each in bare) / len(bare),
            "CPU ms per bare workflow",
            detail=", ".join(f"{name} {cost:.0f}" for name, cost in sorted(spent.items())),
        ),
    ]


@asynccontextmanager
async def arena_of(stack: Stack) -> AsyncIterator[Arena]:
    """Open clients, and run the bare workflow's worker in a process of its own."""
    address = stack.addresses.temporal_address
    queue = f"bare-{uuid.uuid4()}"
    bare = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bare", address, queue
    )
    browser = Browser(stack.addresses.stripe_base)
    try:
        async with open_services(stack.addresses) as services:
            temporal = await Client.connect(address, data_converter=pydantic_data_converter)
            pids = {name: stack.process(name).pid or 0 for name in PARTS}
            yield Arena(
                stack,
                services,
                browser,
                temporal,
                queue,
                {**pids, "bare worker": bare.pid, "load": os.getpid()},
            )
    finally:
        await browser.close()
        bare.terminate()
        await bare.wait()


async def _bare(arena: Arena, count: int, in_flight: int) -> Timed:
    async def one() -> None:
        await arena.temporal.execute_workflow(
            BareWorkflow.run, 1, id=f"bare/{uuid.uuid4()}", task_queue=arena.queue
        )

    return await timed([one] * count, in_flight, arena.pids)


async def _hires(arena: Arena, count: int, in_flight: int) -> Timed:
    """Ask for hires that were proposed and quoted before, until each is HIRED."""
    limit = asyncio.Semaphore(_PREPARED_AT_ONCE)
    hired: set[str] = set()

    async def prepared() -> Callable[[], Awaitable[None]]:
        async with limit:
            journey = _journey(arena)
            await journey.publish_job()
            await journey.submit_proposal()
            await journey.save_card(arena.browser)
            request = await journey.start_request()

        async def one() -> None:
            answer = await until_answered(lambda: journey.start(request))
            hire = await _followed(journey, answer.hire)
            if hire.state != hire_pb2.HIRE_STATE_HIRED:
                raise AssertionError(f"a hire ended {hire.end_reason}")
            hired.add(hire.charge_id)

        return one

    works = await asyncio.gather(*(prepared() for _ in range(count)))
    result = await timed(works, in_flight, arena.pids)
    if len(hired) != count:
        raise AssertionError(f"{count} hires have {len(hired)} charges")
    return result


async def _followed(journey: Journey, hire: hire_pb2.Hire) -> hire_pb2.Hire:
    """Watch the hire to its end; a stream that a busy service broke is resumed."""
    last = hire_pb2.WatchHireResponse(hire=hire)

    async def rest() -> hire_pb2.Hire:
        nonlocal last
        if last.hire.state == hire_pb2.HIRE_STATE_RUNNING:
            async for told in journey.watch(hire.hire_id, last.resume_token):
                last = told
        return last.hire

    return await until_answered(rest)


def _journey(arena: Arena) -> Journey:
    employer, trainer, organisation = (f"{kind}-{new_id()}" for kind in ("e", "t", "org"))
    mint = arena.stack.mint_token
    return Journey(
        arena.services,
        Caller(employer, mint("employer", sub=employer, org=organisation)),
        Caller(trainer, mint("trainer", sub=trainer)),
    )
