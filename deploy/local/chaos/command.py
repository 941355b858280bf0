"""What `hireflow chaos` prints, and its exit code."""

import tempfile
from pathlib import Path

from rich.console import Console

from deploy.local.chaos.run import run as run_plan
from deploy.local.chaos.run import verdict


async def run(
    data_dir: Path | None, *, seed: int, hires: int, strikes: int, seconds: float, as_json: bool
) -> int:
    """Run a plan and show its verdict; 0 only if the checker finds nothing.

    Without `data_dir` the stack lives in a temporary folder that is removed at the end. With
    `as_json` the view goes to the error stream and one JSON object, last, to the output.
    """
    console = Console(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="hireflow-chaos-") as scratch:
        report = await run_plan(
            console,
            data_dir or Path(scratch),
            seed=seed,
            hires=hires,
            strikes=strikes,
            seconds=seconds,
        )
    console.print(verdict(report))
    if as_json:
        print(report.as_json())  # noqa: T201 - the result of the command
    return 1 if report.findings else 0
