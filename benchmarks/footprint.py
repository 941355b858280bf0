"""How long the stack takes to serve, and what each process keeps of the memory."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console

from benchmarks.hire import PARTS, arena_of
from benchmarks.hire import measure as measure_hires
from benchmarks.measuring import memory_of
from benchmarks.results import Measure
from deploy.local.stack import Stack

_SETTLED_SECONDS = 3.0


async def measure(console: Console, folder: Path, runs: int) -> list[Measure]:
    """Measure starts on a new data directory and on one that was used; then the memory."""
    starts: dict[str, list[float]] = {"new data": [], "data of before": []}
    for run in range(runs):
        for name, seconds in starts.items():
            console.print(f"  run {run + 1}: start, {name}")
            seconds.append(await _start(folder / f"start-{run}"))
    found = [
        Measure(f"start of the stack, seconds, {name}", median(seconds))
        for name, seconds in starts.items()
    ]
    async with Stack.open(folder / "start-0", apart=True) as stack, arena_of(stack) as arena:
        pids = {name: arena.pids[name] for name in PARTS}
        await asyncio.sleep(_SETTLED_SECONDS)  # what a process frees after its start is gone
        idle = memory_of(pids)
        console.print("  memory under load")
        loaded = await _highest_while(pids, measure_hires(console, stack, 1, 0.5))
    for name in PARTS:
        wanted = "< 110" if name in {"jobs", "proposals", "contracts", "messaging"} else ""
        found.append(
            Measure(
                f"memory of {name}, MB under load",
                loaded[name],
                idle[name],
                "MB idle",
                wanted=wanted,
            )
        )
    return found


async def _start(folder: Path) -> float:
    began = perf_counter()
    async with Stack.open(folder, apart=True):
        return perf_counter() - began


async def _highest_while(
    pids: dict[str, int], work: Coroutine[None, None, object]
) -> dict[str, float]:
    task = asyncio.create_task(work)
    highest = dict.fromkeys(pids, 0.0)
    while not task.done():
        now = await asyncio.to_thread(memory_of, pids)
        highest = {name: max(highest[name], now[name]) for name in pids}
        await asyncio.wait([task], timeout=1)
    await task
    return highest
