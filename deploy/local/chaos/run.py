"""`hireflow chaos`: a stack, a plan, the people and the strikes at once, and the verdict."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.local.audit import Finding, Sources, audit, open_sources
from deploy.local.chaos.people import Told, live, meet, until_answered
from deploy.local.chaos.plan import Plan, PlannedStrike, draw
from deploy.local.chaos.strikes import Striker
from deploy.local.journey import Browser, Caller, Journey, new_id
from deploy.local.stack import Stack
from deploy.local.stripe_account import api_key
from hireflow.hiring.v1 import hire_pb2

# An abandoned hire must end within the run.
PAYMENT_DEADLINE_SECONDS = 45
SETTINGS = {
    "HIREFLOW_PAYMENT_DEADLINE": str(PAYMENT_DEADLINE_SECONDS),
    "HIREFLOW_PAYMENT_POLLS": "[2, 5, 10]",
    "HIREFLOW_LOG_LEVEL": "WARNING",
}
_RUNNING = hire_pb2.HIRE_STATE_RUNNING
_PAUSE = 1.0


@dataclass
class Report:
    """What happened and what the checker says of it."""

    plan: Plan
    struck: list[tuple[float, str]] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> str:
        """One object on one line."""
        kinds = Counter(each.planned.kind.value for each in self.told)
        done = Counter(strike.strike.value for strike in self.plan.strikes)
        return json.dumps(
            {
                "seed": self.plan.seed,
                "hires": len(self.told),
                "kinds": dict(sorted(kinds.items())),
                "strikes": dict(sorted(done.items())),
                "ended": dict(sorted(self.ended.items())),
                "seconds": round(self.seconds, 1),
                "findings": [asdict(finding) for finding in self.findings],
                "story": self.story,
            }
        )


class Screen:
    """The live view: a table in a terminal, a line per happening elsewhere."""

    def __init__(self, console: Console, report: Report) -> None:
        self._console = console
        self._report = report
        self._began = monotonic()
        self.chapter = ""

    def title(self, chapter: str) -> None:
        """Begin a chapter."""
        self.chapter = chapter
        if not self._console.is_terminal:
            self._console.print(f"{self._elapsed()}  {chapter}")

    def struck(self, what: str) -> None:
        """Tell of a strike."""
        self._report.struck.append((monotonic() - self._began, what))
        if not self._console.is_terminal:
            self._console.print(f"{self._elapsed()}  {what}")

    def table(self) -> Table:
        """Draw what there is to see now."""
        report = self._report
        table = Table(title=f"{self.chapter}   {self._elapsed()}", title_justify="left")
        for column in ("hires asked for", "answered", "strikes", "the last strikes"):
            table.add_column(column)
        last = "\n".join(f"{at:6.1f} s  {what}" for at, what in report.struck[-6:])
        asked = sum(bool(each.hire_id) for each in report.told)
        ended = "\n".join(f"{name} {count}" for name, count in sorted(report.ended.items()))
        done = f"{len(report.struck)} of {len(report.plan.strikes)}"
        table.add_row(f"{asked} of {len(report.plan.hires)}", ended, done, last)
        return table

    def _elapsed(self) -> str:
        return f"{monotonic() - self._began:6.1f} s"


async def run(
    console: Console,
    data_dir: Path,
    *,
    seed: int,
    hires: int,
    strikes: int,
    seconds: float,
    patience: float = 240.0,
) -> Report:
    """Run the plan of a seed on the stack of a data directory; the findings tell the verdict.

    Starts the stack, because only who started a process may kill it and start it again. `patience`
    is how many seconds hires may take to end once nothing is broken any more.
    """
    report = Report(draw(seed, hires, strikes, seconds))
    screen = Screen(console, report)
    began = monotonic()
    async with AsyncExitStack() as resources:
        if console.is_terminal:
            resources.enter_context(
                Live(get_renderable=screen.table, console=console, refresh_per_second=4)
            )
        screen.title("starting the stack")
        stack = await resources.enter_async_context(
            Stack.open(data_dir, env_overrides={"hiring": SETTINGS, "worker": SETTINGS})
        )
        operator = Caller("operator-chaos", stack.mint_token("operator", sub="operator-chaos"))
        sources = await resources.enter_async_context(
            open_sources(stack.addresses, operator, api_key(stack.data))
        )
        browser = Browser(stack.addresses.stripe_base)
        resources.push_async_callback(browser.close)

        screen.title("jobs, proposals and cards")
        report.told = await meet(report.plan.hires, lambda: _journey(stack, sources), browser)
        screen.title("hires and strikes")
        striker = Striker(stack, sources.stripe)
        people = asyncio.gather(*(_live(told, browser) for told in report.told))
        await asyncio.gather(*(_strike(striker, each, screen) for each in report.plan.strikes))
        await striker.mend()
        screen.title("nothing is broken any more: waiting for the hires to end")
        async with asyncio.timeout(patience):
            await people
        await _until_ended(report, patience)
        screen.title("reading everything back")
        hire_ids = [told.hire_id for told in report.told if told.hire_id]
        report.ended["refused"] = len(report.told) - len(hire_ids)
        report.findings = await audit(sources, hire_ids, waits=frozenset())
        report.story = await _story(report)
    report.seconds = monotonic() - began
    return report


def _journey(stack: Stack, sources: Sources) -> Journey:
    employer, trainer = f"employer-{new_id()}", f"trainer-{new_id()}"
    organisation = f"org-{new_id()}"
    return Journey(
        sources.services,
        Caller(employer, stack.mint_token("employer", sub=employer, org=organisation)),
        Caller(trainer, stack.mint_token("trainer", sub=trainer)),
    )


async def _live(told: Told, browser: Browser) -> None:
    await asyncio.sleep(told.planned.at)
    await live(told, browser)


async def _strike(striker: Striker, planned: PlannedStrike, screen: Screen) -> None:
    await asyncio.sleep(planned.at)
    screen.struck(await striker.strike(planned))


async def _until_ended(report: Report, patience: float) -> None:
    """Look until every hire ended; after `patience` seconds the checker says which are stuck."""
    left = {told.hire_id: told for told in report.told if told.hire_id}
    deadline = monotonic() + patience
    while left and monotonic() < deadline:
        for hire_id, told in list(left.items()):
            read = hire_pb2.GetHireRequest(hire_id=hire_id)
            employer = told.journey.employer
            get = told.journey.services.hiring.GetHire
            hire = (await until_answered(lambda: employer.call(get, read))).hire  # noqa: B023 - awaited at once
            if hire.state != _RUNNING:
                state = hire_pb2.HireState.Name(hire.state).removeprefix("HIRE_STATE_")
                report.ended[f"{state} {hire.end_reason}".rstrip()] += 1
                del left[hire_id]
        await asyncio.sleep(_PAUSE)
    if left:
        report.ended["RUNNING"] = len(left)


async def _story(report: Report) -> list[str]:
    """Tell what happened around the first finding: its hire's steps, and every strike."""
    if not report.findings:
        return []
    hire_id = report.findings[0].hire_id
    told = next(each for each in report.told if each.hire_id == hire_id)
    lines = [f"{told.planned.kind}, asked for at {told.planned.at:.1f} s", *told.refusals]
    request = hire_pb2.WatchHireRequest(hire_id=hire_id)
    stream = told.journey.services.hiring.WatchHire(
        request, timeout=10, metadata=told.journey.employer.metadata
    )
    try:
        async for each in stream:
            when = each.step.time.ToDatetime()
            lines.append(f"{when:%H:%M:%S.%f} {each.step.number}. {each.step.what}")
    except grpc.aio.AioRpcError as error:
        lines.append(f"and there it stands ({error.code().name})")
    return [*lines, *(f"{at:.1f} s {what}" for at, what in report.struck)]


def verdict(report: Report) -> Table:
    """Draw what was tried, how it ended, and what is wrong, if anything is."""
    good = not report.findings
    title = "[green]nothing lost, nothing doubled[/]" if good else "[bold red]findings[/]"
    table = Table(title=title, title_justify="left", show_header=False)
    rows: list[tuple[str, Any]] = [
        ("seed", report.plan.seed),
        ("hires", len(report.told)),
        ("strikes", len(report.struck)),
        ("seconds", f"{report.seconds:.0f}"),
        *((f"ended {name}", count) for name, count in sorted(report.ended.items())),
        *((f"{f.kind} {f.hire_id}", f.told) for f in report.findings),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    if report.story:
        table.add_row("the first finding's story", "\n".join(report.story))
    return table
