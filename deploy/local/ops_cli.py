"""`hireflow ops`: what an operator of a running stack sees of hires and does to them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from deploy.local.data_dir import DataDir
from deploy.local.options import DEFAULT_DATA, Data, Json

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from deploy.local.ops_desk import OpsDesk
    from hireflow.hiring.v1 import hire_pb2

Answer = TypeVar("Answer")

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "See and steer hires, as an operator: what is stuck and on whom it waits, the story of a "
        "hire, and the four orders that an operator may give."
    ),
)

_Hire = Annotated[str, typer.Argument(metavar="HIRE", help="The id of the hire.")]
_Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, in a word for the story, such as messaging_down: letters, digits, underscores.",
    ),
]


class Party(StrEnum):
    """On whom a hire waits."""

    CLIENT = "client"
    PROVIDER = "provider"
    OPERATOR = "operator"
    US = "us"


@app.command()
def stuck(
    on: Annotated[
        list[Party] | None,
        typer.Option("--on", help="Only what waits on this party; may be repeated."),
    ] = None,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """List the running hires that wait or make no progress, the longest standing first.

    It tells on whom each waits: the client (to confirm, to pay with another method), the provider
    (Stripe or the bank), an operator (the hire is blocked), or us (a step of ours is tried again,
    since half a minute at least). And since when, and what happens next if nobody does anything.
    """
    hires = _ask(data_dir, lambda desk: desk.stuck([party.name for party in on or []]))
    if as_json:
        typer.echo(json.dumps({"hires": [_plain(each) for each in hires]}))
        return
    from deploy.local.ops_screen import show_stuck  # noqa: PLC0415 - as in `_ask`

    show_stuck(Console(), hires)


@app.command()
def show(hire: _Hire, data_dir: Data = DEFAULT_DATA, as_json: Json = False) -> None:
    """Tell the story of one hire, running or ended: who, what, when, why, which Stripe object."""
    story = _ask(data_dir, lambda desk: desk.story(hire))
    if as_json:
        typer.echo(json.dumps(_plain(story)))
        return
    from deploy.local.ops_screen import show_story  # noqa: PLC0415 - as in `_ask`

    show_story(Console(), story)


@app.command()
def retry(
    hire: _Hire, reason: _Reason, data_dir: Data = DEFAULT_DATA, as_json: Json = False
) -> None:
    """Try the step of a blocked hire again, once its cause is mended.

    A step that is not blocked is tried again by itself, at most 60 seconds apart: there is nothing
    to order then, and the order is refused with WRONG_STATE.
    """
    _show(_ask(data_dir, lambda desk: desk.retry(hire, reason)), as_json=as_json)


@app.command("skip-thread")
def skip_thread(
    hire: _Hire, reason: _Reason, data_dir: Data = DEFAULT_DATA, as_json: Json = False
) -> None:
    """Let a paid hire go on without its job thread, while messaging cannot open it.

    The hire ends HIRED; the trainer has no job thread for this contract.
    """
    _show(_ask(data_dir, lambda desk: desk.skip_thread(hire, reason)), as_json=as_json)


@app.command()
def refund(
    hire: _Hire,
    reason: _Reason,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Refund a paid hire in full and undo it; asks first. It cannot be taken back.

    One refund at Stripe, fees included; the contract is cancelled if it was never active, else it
    ends with a credit note; the proposal and the position are free again. Only until the hire is
    HIRED: afterwards its contract is ended instead.
    """
    if not yes:
        quote = _ask(data_dir, lambda desk: desk.story(hire)).hire.quote
        total = f"{quote.total_minor_units / 100:.2f} {quote.currency_code}"
        typer.confirm(f"Refund {total} of hire {hire} in full and undo it?", abort=True)
    _show(_ask(data_dir, lambda desk: desk.refund(hire, reason)), as_json=as_json)


@app.command()
def extend(
    hire: _Hire,
    reason: _Reason,
    hours: Annotated[
        int, typer.Option("--hours", min=1, help="So many hours after the present deadline.")
    ],
    data_dir: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Give the client longer to pay, while the hire waits for the payment.

    The policy bounds it: 30 days from when the wait began, unless configured otherwise.
    """
    by = timedelta(hours=hours)
    _show(_ask(data_dir, lambda desk: desk.extend(hire, reason, by)), as_json=as_json)


def _ask(data_dir: Path, question: "Callable[[OpsDesk], Awaitable[Answer]]") -> Answer:
    from deploy.local.ops_desk import open_desk  # noqa: PLC0415 - brings gRPC: --help is quick

    data = DataDir(data_dir.expanduser().resolve())

    async def ask() -> Answer:
        async with open_desk(data) as desk:
            return await question(desk)

    return asyncio.run(ask())


def _show(hire: "hire_pb2.Hire", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"hire": _plain(hire)}))
        return
    from deploy.local.ops_screen import show_hire  # noqa: PLC0415 - as in `_ask`

    show_hire(Console(), hire)


def _plain(message: "Message") -> object:
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - as in `_ask`

    return MessageToDict(message, preserving_proto_field_name=True)
