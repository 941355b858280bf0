"""The verbs of `hireflow` that act out what users do: one hire, many in a storm, sample data."""

import re
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console

from deploy.local.cli_signals import INTERRUPTED, run_until_told
from deploy.local.data_dir import DataDir
from deploy.local.options import DEFAULT_DATA, Data, Json, chosen


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Run on this directory; a temporary one without it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk from publishing a job to Done Hiring on a fresh stack, and prove the end state.

    Exit code 0 only if all of it held. With --json the last line is one JSON object.
    """
    from deploy.local import demo as story  # noqa: PLC0415 - the demo alone needs the gRPC stubs

    console = Console()
    hire = story.run(console, data_dir, as_json=as_json)
    raise typer.Exit(run_until_told(hire, when_told_to_stop=INTERRUPTED))


def chaos(
    *,
    hires: Annotated[int, typer.Option(min=1, help="How many hires to try.")] = 50,
    faults: Annotated[
        int | None, typer.Option(min=0, help="How many faults; two for five hires without it.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=5, help="Over how long hires and faults are spread.")
    ] = 90,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeats a plan; one is chosen and told without it.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Run on this directory; a temporary one without it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hire in every way while processes die, pause and lose each other and Stripe; then judge.

    It starts a stack of its own on the data directory, with short payment deadlines: killing a
    process is a crash to `hireflow up`, which would stop, so a directory in use is refused. Who
    hires and what goes wrong is drawn from the seed; what comes of it is read back by an
    independent checker from the public APIs, Stripe, the event stream and Temporal. Exit code 0
    only if it found nothing; otherwise the seed and the story of the first finding are printed.
    """
    from deploy.local import chaos as storm  # noqa: PLC0415 - it alone needs the gRPC stubs

    run = storm.run(
        Console(),
        data_dir,
        hires=hires,
        faults=faults if faults is not None else hires * 2 // 5,
        seconds=seconds,
        seed=seed,
        json_wanted=as_json,
    )
    raise typer.Exit(run_until_told(run, when_told_to_stop=INTERRUPTED))


def seed(
    *,
    jobs: Annotated[int, typer.Option(min=1, help="How many jobs, in every state.")] = 12,
    proposals: Annotated[int, typer.Option(min=0, help="How many proposals for them.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same number draws the same data.")] = 1,
    run: Annotated[
        str | None,
        typer.Option(help="Goes on with a run that broke off; a new one is told without it."),
    ] = None,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Fill a running stack with believable data, through the APIs that its users call.

    Organisations with folders, jobs, instructions, invitations and channels; trainers of many
    countries and scripts with screenings and proposals; reviews, notes, talks, and a few hires by
    test cards that are paid, declined, waiting or undone. The same arguments with the same --run
    do what is still missing; a new run adds as much again, for new organisations.
    """
    from deploy.local.seed import drawing, screen  # noqa: PLC0415 - they alone need Faker

    run_id = run or uuid4().hex[:8]
    if not re.fullmatch(r"[a-z0-9-]{1,24}", run_id):
        raise typer.BadParameter("--run is 1 to 24 of a-z, 0-9 and -")
    data, plan = DataDir(data_dir.expanduser().resolve()), drawing.draw(jobs, proposals, seed)
    work = screen.run(data, plan, run_id, option=chosen(data_dir), as_json=as_json)
    raise typer.Exit(run_until_told(work, when_told_to_stop=INTERRUPTED))
