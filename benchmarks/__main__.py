"""The command line of the benchmarks."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import events, footprint, hire, reads
from benchmarks.picture import draw
from benchmarks.results import Measure, save, table
from deploy.local.stack import Stack

NAMES = ("hire", "reads", "events", "footprint")


def main(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help=f"Of {', '.join(NAMES)}; or all.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="The figures are medians of so many.")] = 3,
    share: Annotated[float, typer.Option(help="Of the usual amount of work; 0.1 to try.")] = 1.0,
    write: Annotated[bool, typer.Option("--save", help="Write results, picture, README.")] = False,
) -> None:
    """Measure beside floors, on a stack of its own, and print a table; nothing is asserted."""
    console = Console()
    chosen = names or list(NAMES)
    if unknown := set(chosen) - set(NAMES):
        raise typer.BadParameter(f"no benchmark is named {', '.join(sorted(unknown))}")
    for name in chosen:
        console.print(f"[bold]{name}[/]")
        measures = asyncio.run(_run(console, name, runs, share))
        console.print(table(measures))
        # After each, so that what was measured is kept, whatever becomes of the next.
        if write:
            draw(save(measures, runs))


async def _run(console: Console, name: str, runs: int, share: float) -> list[Measure]:
    with tempfile.TemporaryDirectory(prefix="hireflow-bench-") as scratch:
        folder = Path(scratch)
        if name == "footprint":
            return await footprint.measure(console, folder, runs)
        async with Stack.open(folder / name, apart=True) as stack:
            measure = {"hire": hire.measure, "reads": reads.measure, "events": events.measure}
            return await measure[name](console, stack, runs, share)


if __name__ == "__main__":
    typer.run(main)
