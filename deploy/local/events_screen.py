"""How `hireflow events` shows dead letters to people."""

from collections.abc import Sequence
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from hireflow.events.v1 import events_pb2


def show_dead_letters(console: Console, letters: Sequence[events_pb2.DeadLetter]) -> None:
    """Show the events that were given up, a row each."""
    if not letters:
        console.print("No event was given up.")
        return
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for column in ("consumer", "event", "type", "of", "since (UTC)", "tries", "reason", "waiting"):
        table.add_column(column, overflow="fold", no_wrap=column in {"since (UTC)", "tries"})
    for letter in letters:
        table.add_row(
            letter.consumer,
            letter.event_id,
            letter.event_type.removeprefix("hireflow."),
            f"{letter.aggregate_type} {letter.aggregate_id} v{letter.version}",
            _time(letter.since) if letter.HasField("since") else "",
            str(letter.tries),
            letter.reason,
            str(letter.waiting),
        )
    console.print(table)


def _time(time: Timestamp) -> str:
    return f"{time.ToDatetime(UTC):%m-%d %H:%M:%S}"
