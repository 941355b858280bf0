"""One run: a stack whose lines can be cut, the clients and the faults of a plan, calm again."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx

from deploy.local import postgres, stripe_account
from deploy.local.applications import SERVICES
from deploy.local.audit import Sources, open_sources
from deploy.local.chaos.clients import Case, Client, Town
from deploy.local.chaos.faults import Faults
from deploy.local.chaos.gateway import PatientCaller, Weather
from deploy.local.chaos.lines import Line, open_lines
from deploy.local.chaos.plan import LINES, Plan
from deploy.local.chaos.view import View
from deploy.local.data_dir import DataDir
from deploy.local.forking import ForkServer
from deploy.local.journey import Browser, Caller, Services, new_id, open_services
from deploy.local.stack import Stack

TOKEN_LIFETIME = timedelta(hours=12)
# Steps past the pivot are tried again up to a minute apart, so a hire may rest that long.
CALM_SECONDS = 180.0
_POLLS = "[1, 2, 5, 10]"
_TICK = 0.25
_PREPARED_AT_ONCE = 8


@dataclass(frozen=True)
class Scene:
    """A running stack prepared for a plan; `payment_deadline` is in seconds."""

    stack: Stack
    lines: Mapping[str, Line]
    services: Services
    browser: Browser
    sandbox: httpx.AsyncClient
    payment_deadline: float

    @asynccontextmanager
    async def sources(self) -> AsyncIterator[Sources]:
        """Open what the checker reads from, past the lines: they belong to the weather."""
        operator = Caller("operator-chaos", self.token("operator", "operator-chaos", None))
        key = stripe_account.api_key(self.stack.data)
        async with open_sources(self.stack.addresses, operator, key) as sources:
            yield sources

    def token(self, kind: str, subject: str, organisation: str | None) -> str:
        """Sign a token that outlives the run."""
        return self.stack.mint_token(kind, sub=subject, org=organisation, ttl=TOKEN_LIFETIME)


@dataclass(frozen=True)
class Outcome:
    """What happened in a run, as clients and faults know it; `seconds` until all was calm."""

    plan: Plan
    cases: Sequence[Case]
    faults: Faults
    weather: Weather
    payment_deadline: float
    seconds: float


def payment_deadline(seconds: float) -> float:
    """Choose how long an unpaid hire waits: long enough for a slow client, short for a run."""
    return min(45.0, max(8.0, seconds / 4))


@asynccontextmanager
async def open_scene(
    data_dir: Path, plan: Plan, view: View, forks: ForkServer | None = None
) -> AsyncIterator[Scene]:
    """Start a stack of our own whose processes and clients reach each other by lines.

    `forks` is as `Stack.open` takes it.

    Raises:
        StackFailure: it did not start, another stack runs on the directory, or a process crashed.

    """
    data = DataDir.at(data_dir)
    deadline = payment_deadline(plan.seconds)
    async with AsyncExitStack() as resources:
        lines = await resources.enter_async_context(open_lines(data, LINES))
        view.chapter("starting the stack")
        stack = await resources.enter_async_context(
            Stack.open(data_dir, env_overrides=_by_lines(data, lines, deadline), forks=forks)
        )
        by_line = {name: lines[name].address for name in (*SERVICES, "hiring")}
        services = await resources.enter_async_context(
            open_services(replace(stack.addresses, **by_line))
        )
        sandbox = await resources.enter_async_context(
            httpx.AsyncClient(base_url=stack.addresses.stripe_base, timeout=10, trust_env=False)
        )
        browser = Browser(f"http://{lines['stripe'].address}")
        resources.push_async_callback(browser.close)
        yield Scene(stack, lines, services, browser, sandbox, deadline)


async def rage(scene: Scene, plan: Plan, view: View) -> Outcome:
    """Let clients come and faults happen as planned; return when all is calm.

    Then every process runs and no fault is left. Clients are waited for, three minutes at the
    longest beyond the last deadline that a hire may wait for.
    """
    weather = Weather()
    faults = Faults(scene.stack, scene.lines, scene.sandbox, view.fault)
    cases = [Case(each, f"org-{new_id()}") for each in plan.hires]
    town = _town(scene, weather)
    with view.shown(cases):
        view.chapter("publishing jobs, having trainers propose, saving cards")
        clients = await _prepared(town, cases)
        began = time.monotonic()
        view.chapter(f"{sum(c.planned.hires for c in cases)} hires, {len(plan.faults)} faults")
        ticking = asyncio.create_task(_tick(view))
        playing = [
            asyncio.create_task(_play(*each, began)) for each in zip(clients, cases, strict=True)
        ]
        try:
            await faults.inflict(plan.faults, began)
            await faults.end()
            view.chapter("calm: every process runs, no fault is left; waiting for the hires")
            await _finish(playing, plan.seconds + began + scene.payment_deadline + CALM_SECONDS)
        finally:
            for task in (*playing, ticking):
                task.cancel()
            await asyncio.gather(*playing, ticking, return_exceptions=True)
    seconds = time.monotonic() - began
    return Outcome(plan, cases, faults, weather, scene.payment_deadline, seconds)


def _by_lines(
    data: DataDir, lines: Mapping[str, Line], deadline: float
) -> dict[str, dict[str, str]]:
    told = {
        "HIREFLOW_DATABASE_URL": postgres.url(data, lines["postgres"].port),
        "HIREFLOW_NATS_URL": f"nats://{lines['nats'].address}",
        "HIREFLOW_TEMPORAL_ADDRESS": lines["temporal"].address,
        "HIREFLOW_STRIPE_API_BASE": f"http://{lines['stripe'].address}",
        "HIREFLOW_PAYMENT_DEADLINE": str(deadline),
        "HIREFLOW_PAYMENT_POLLS": _POLLS,
        **{f"HIREFLOW_{name.upper()}_ADDRESS": lines[name].address for name in SERVICES},
        "HIREFLOW_HIRING_ADDRESS": lines["hiring"].address,
    }
    return dict.fromkeys((*SERVICES, "hiring", "worker"), told)


def _town(scene: Scene, weather: Weather) -> Town:
    def caller(kind: str, organisation_id: str | None) -> PatientCaller:
        subject = f"{kind}-{new_id()}"
        return PatientCaller(subject, scene.token(kind, subject, organisation_id), weather)

    return Town(scene.services, scene.browser, weather, caller)


async def _prepared(town: Town, cases: Sequence[Case]) -> list[Client]:
    """Prepare the cases, a few at once: hires are what the weather is for."""
    clients = [Client(town, case) for case in cases]
    places = asyncio.Semaphore(_PREPARED_AT_ONCE)

    async def prepare(client: Client) -> None:
        async with places:
            await client.prepare()

    await asyncio.gather(*map(prepare, clients))
    return clients


async def _play(client: Client, case: Case, began: float) -> None:
    await asyncio.sleep(max(0.0, began + case.planned.at - time.monotonic()))
    await client.play()


async def _finish(playing: Sequence["asyncio.Task[None]"], until: float) -> None:
    """Wait for the clients, until a monotonic time; a defect of a client itself is raised."""
    done, _ = await asyncio.wait(
        playing,
        timeout=max(1.0, until - time.monotonic()),
        return_when=asyncio.FIRST_EXCEPTION,
    )
    for task in done:
        task.result()


async def _tick(view: View) -> None:
    while True:
        view.tick()
        await asyncio.sleep(_TICK)
