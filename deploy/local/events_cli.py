"""`hireflow events`: what an operator of a running stack sees of events and does about them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from deploy.local.data_dir import DataDir
from deploy.local.options import DEFAULT_DATA, Data, Json

if TYPE_CHECKING:
    from deploy.local.events_desk import EventsDesk

Answer = TypeVar("Answer")

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "See and mend the flow of events, as an operator: the events that a consumer gave up, "
        "trying them again, filling a stream that lost its events, and rebuilding what was made "
        "of them."
    ),
)

_Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, in a word for the log, such as mended: letters, digits, underscores.",
    ),
]


@app.command("dead-letters")
def dead_letters(
    consumer: Annotated[
        str | None, typer.Argument(metavar="[CONSUMER]", help="Only this consumer's.")
    ] = None,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """List the events that failed at every try, and what waits behind them.

    A dead letter holds its own job, proposal, … alone: that one's later events wait, others go on.
    For each it tells the consumer, the event, how often it was tried, the name of the last error
    (the consumer's log has all of it, under `event failed`), since when, and how many events wait.
    """
    letters = _ask(data_dir, lambda desk: desk.dead_letters(consumer or ""))
    if as_json:
        from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - as in `_ask`

        plain = [MessageToDict(each, preserving_proto_field_name=True) for each in letters]
        typer.echo(json.dumps({"dead_letters": plain}))
        return
    from deploy.local.events_screen import show_dead_letters  # noqa: PLC0415 - as in `_ask`

    show_dead_letters(Console(), letters)


@app.command()
def replay(
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="Whose dead letters.")],
    reason: _Reason,
    event: Annotated[
        str, typer.Option("--event", help="The id of the one event; all of them without it.")
    ] = "",
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Have a consumer try its dead letters again, once their cause is mended.

    Each is tried at once, as if for the first time, and then the events that waited behind it, in
    their order. What fails again is a dead letter again: nothing is lost by trying.
    """
    replayed = _ask(data_dir, lambda desk: desk.replay(consumer, event, reason))
    if as_json:
        typer.echo(json.dumps({"replayed": replayed}))
    elif replayed:
        typer.echo(f"{replayed} tried again: see `hireflow events dead-letters {consumer}`.")
    else:
        typer.echo("There is no such dead letter.")


@app.command()
def republish(
    *,
    schema: Annotated[
        str, typer.Argument(metavar="SCHEMA", help="Whose events: jobs, proposals, …")
    ],
    reason: _Reason,
    since: Annotated[
        datetime | None,
        typer.Option("--since", help="Begin with what happened at this time (UTC)."),
    ] = None,
    after: Annotated[
        int, typer.Option("--after", min=0, help="Begin after this position of the outbox.")
    ] = 0,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Send a schema's events to the stream again: all that the outbox keeps, or from a moment on.

    For a stream that lost some of its events: purged, or restored from an older copy. A stream that
    was made anew is filled by itself. Consumers skip what they have applied. It goes on in the
    background, the metric hireflow.outbox.resending tells how far; what was pruned from the outbox
    cannot be sent.
    """
    answer = _ask(data_dir, lambda desk: desk.republish(schema, after, since, reason))
    first, last = answer.first_position, answer.last_position
    if as_json:
        told: dict[str, object] = {"first_position": first, "last_position": last}
        if answer.HasField("first_time"):
            told["first_time"] = answer.first_time.ToJsonString()
        typer.echo(json.dumps(told))
    elif first:
        typer.echo(
            f"Positions {first} to {last} are sent again; the first happened at "
            f"{answer.first_time.ToJsonString()}."
        )
    else:
        typer.echo("The outbox keeps nothing from then on.")


@app.command()
def rebuild(
    consumer: Annotated[
        str, typer.Argument(metavar="CONSUMER", help="Whose read model: proposals-jobs, …")
    ],
    reason: _Reason,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Empty a consumer's read model and apply every event again: it ends in the same rows.

    For rows that a defect spoiled, once it is mended. Until it has heard again what it had heard,
    its service answers UNAVAILABLE. If the stream has not every event any longer it is refused:
    `hireflow events republish` them first.
    """
    aggregates = _ask(data_dir, lambda desk: desk.rebuild(consumer, reason))
    if as_json:
        typer.echo(json.dumps({"aggregates": aggregates}))
    else:
        typer.echo(f"Emptied; the events of {aggregates} and any newer ones are applied again.")


def _ask(data_dir: Path, question: "Callable[[EventsDesk], Awaitable[Answer]]") -> Answer:
    from deploy.local.events_desk import open_desk  # noqa: PLC0415 - brings gRPC: --help is quick

    data = DataDir(data_dir.expanduser().resolve())

    async def ask() -> Answer:
        async with open_desk(data) as desk:
            return await question(desk)

    return asyncio.run(ask())
