"""The console script `hireflow`: the whole system on this machine, under one command."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local import cli_stories, control, events_cli, ops_cli
from deploy.local.cli_signals import run_until_told
from deploy.local.console import Progress, show_next_steps, show_status
from deploy.local.data_dir import DataDir
from deploy.local.doctor import examine
from deploy.local.failure import StackFailure
from deploy.local.keys import Kind
from deploy.local.options import DEFAULT_DATA as _DEFAULT
from deploy.local.options import Data as _Data
from deploy.local.options import Json as _Json
from deploy.local.options import chosen
from deploy.local.ports import PORT_NAMES
from deploy.local.stack import PROCESSES, Stack, mint_token
from deploy.local.state import read_status

NOT_RUNNING = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hireflow on this machine: the real servers, the services, and one hire to watch.",
)

app.add_typer(ops_cli.app, name="ops")
app.add_typer(events_cli.app, name="events")


@app.command()
def up(
    data_dir: _Data = _DEFAULT,
    port: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PORT",
            help=f"A fixed port for a part; may be repeated. Parts: {', '.join(PORT_NAMES)}.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help=f"Start this one alone; may be repeated: {', '.join(PROCESSES)}."
        ),
    ] = None,
    detach: Annotated[bool, typer.Option(help="Return once it serves; it runs on.")] = False,
) -> None:
    """Start the whole system and keep it up until Ctrl-C.

    The first start chooses free ports, makes the databases and a signing key; later starts resume
    the same data at the same addresses. A process that crashes stops the stack, says why, and
    ends with exit code 1.
    """
    ports = _parse_ports(port or [])
    if detach:
        options = [f"--port={entry}" for entry in port or []]
        _up_detached(data_dir, options + [f"--only={name}" for name in only or []])
    else:
        raise typer.Exit(run_until_told(_up(data_dir, ports, only), when_told_to_stop=0))


@app.command()
def down(data_dir: _Data = _DEFAULT) -> None:
    """Stop a running stack in an orderly way and wait until nothing of it is left."""
    data = _existing(data_dir)
    stopped = data is not None and control.stop(data)
    typer.echo("Stopped." if stopped else f"No stack runs on {data_dir.resolve()}.")


@app.command()
def status(data_dir: _Data = _DEFAULT, as_json: _Json = False) -> None:
    """Show every process with its addresses and process id.

    Exit code 3 if no stack runs on the data directory.
    """
    found = read_status(DataDir(data_dir.expanduser().resolve()))
    if as_json:
        typer.echo(json.dumps({"running": found.running, **found.content}))
    elif found.running:
        show_status(Console(), found.content)
    else:
        typer.echo(f"No stack runs on {data_dir.resolve()}.")
    if not found.running:
        raise typer.Exit(NOT_RUNNING)


@app.command()
def logs(
    process: Annotated[str | None, typer.Argument(help="One process; all without it.")] = None,
    data_dir: _Data = _DEFAULT,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with whatever is written.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Last lines of each.")] = 20,
) -> None:
    """Show what the processes said, also after they ended."""
    data = _existing(data_dir)
    if data is None:
        raise StackFailure(f"There is no data directory {data_dir.resolve()}.")
    try:
        control.show_logs(data, process, lines=lines, follow=follow, show=typer.echo)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def doctor(data_dir: _Data = _DEFAULT, as_json: _Json = False) -> None:
    """Look for what would keep the stack from starting; exit code 1 if something would."""
    findings = examine(data_dir)
    healthy = all(finding.ok for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "checks": [asdict(f) for f in findings]}))
    else:
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("FAIL", fg="red")
            typer.echo(f"{mark}  {finding.check:<16} {finding.detail}")
    raise typer.Exit(0 if healthy else 1)


@app.command()
def token(
    *,
    kind: Annotated[Kind, typer.Option(help="Who it speaks for.")],
    org: Annotated[
        str | None, typer.Option(help="The organisation; for employers and agents.")
    ] = None,
    sub: Annotated[
        str | None, typer.Option(help="The person or agent; `<kind>-local` without it.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(help="An employer's role, may be repeated; member and payer without it."),
    ] = None,
    ttl: Annotated[int, typer.Option(min=1, help="How long it is valid, in seconds.")] = 3600,
    data_dir: _Data = _DEFAULT,
) -> None:
    """Print a bearer token, and nothing else, signed with the data directory's key."""
    data = DataDir(data_dir.expanduser().resolve())
    minted = mint_token(data, kind, sub=sub, org=org, roles=role or (), ttl=timedelta(seconds=ttl))
    typer.echo(minted)


for verb in (cli_stories.demo, cli_stories.chaos, cli_stories.seed):
    app.command()(verb)


def main() -> None:
    """Run the command line; a failure is one sentence on the error stream and exit code 1."""
    try:
        app()
    except StackFailure as failure:
        typer.echo(f"hireflow: {failure}", err=True)
        raise SystemExit(1) from None


async def _up(data_dir: Path, ports: dict[str, int], only: list[str] | None) -> int:

    console = Console()
    progress = Progress(console)
    console.print("[bold]Starting Hireflow[/]")
    with progress.shown():
        async with Stack.open(
            data_dir, only=only, ports=ports, on_progress=progress.changed
        ) as stack:
            progress.settle()
            content = read_status(stack.data).content
            show_status(console, content)
            show_next_steps(console, content, chosen(data_dir), attached=True)
            try:
                await stack.until_failure()
            finally:
                console.print("[bold]Stopping everything[/]")
    # Leaving the stack raised the failure.
    return 0


def _up_detached(data_dir: Path, options: list[str]) -> None:

    content = control.start_detached(DataDir.at(data_dir), options).content
    show_status(Console(), content)
    show_next_steps(Console(), content, chosen(data_dir), attached=False)


def _parse_ports(given: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for entry in given:
        name, _, number = entry.partition("=")
        if name not in PORT_NAMES or not number.isdigit() or not 0 < int(number) < 65536:
            raise typer.BadParameter(
                f"{entry} is not NAME=PORT with NAME one of {', '.join(PORT_NAMES)}"
            )
        ports[name] = int(number)
    return ports


def _existing(data_dir: Path) -> DataDir | None:

    root = data_dir.expanduser().resolve()
    return DataDir(root) if root.is_dir() else None


if __name__ == "__main__":
    main()
