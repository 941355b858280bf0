"""`hireflow chaos`: hires of every kind while everything dies, then a verdict on all of them.

A plan of clients and faults is drawn from a seed (`plan`). The clients (`clients`) call as a
patient web gateway does (`gateway`), the faults (`faults`) meet the processes and the TCP lines
between them (`lines`). When all is calm again (`storm`), the verdict (`verdict`) comes from the
independent checker, `deploy.local.audit`, and from what the clients were promised.
"""

import json
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from deploy.local.audit import CATCH_UP_SECONDS
from deploy.local.chaos.plan import draw
from deploy.local.chaos.report import as_json, show
from deploy.local.chaos.storm import Outcome, Scene, open_scene, rage
from deploy.local.chaos.verdict import reach_verdict
from deploy.local.chaos.view import View

__all__ = ["conclude", "run"]


async def run(
    console: Console,
    data_dir: Path | None,
    *,
    hires: int,
    faults: int,
    seconds: float,
    seed: int | None,
    json_wanted: bool,
) -> int:
    """Run a plan on a stack of its own and judge it; 0 only if nothing at all was found.

    Without `data_dir` the stack lives in a temporary folder that is removed at the end. With
    `json_wanted` the story goes to the error stream and one JSON object to the output.

    Raises:
        StackFailure: the stack did not start, or a process crashed that no fault had met.

    """
    chosen = seed if seed is not None else random.SystemRandom().randrange(1_000_000)
    plan = draw(chosen, hires=hires, faults=faults, seconds=seconds)
    view = View(Console(stderr=True) if json_wanted else console)
    view.chapter(f"seed {chosen}: {hires} hires and {faults} faults in {seconds:.0f} s")
    async with _folder(data_dir) as folder, open_scene(folder, plan, view) as scene:
        outcome = await rage(scene, plan, view)
        return await conclude(scene, outcome, view, console if json_wanted else None)


async def conclude(
    scene: Scene,
    outcome: Outcome,
    view: View,
    json_console: Console | None = None,
    catch_up: float = CATCH_UP_SECONDS,
) -> int:
    """Judge a run and tell it; 0 only if nothing at all was found.

    `catch_up` is how many seconds what is on its way has to arrive.
    """
    view.chapter("reading every hire back from the services, Stripe, the stream and Temporal")
    async with scene.sources() as sources:
        verdict = await reach_verdict(sources, outcome, catch_up)
    show(view.console, verdict)
    if json_console is not None:
        json_console.out(json.dumps(as_json(verdict)), highlight=False)
    return 1 if verdict.findings else 0


@asynccontextmanager
async def _folder(data_dir: Path | None) -> AsyncIterator[Path]:
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="hireflow-chaos-") as scratch:
        yield Path(scratch)
