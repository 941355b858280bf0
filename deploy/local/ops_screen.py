"""How `hireflow ops` shows hires to people."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hireflow.common.v1 import actor_pb2
from hireflow.hiring.v1 import hire_pb2, operations_pb2

_COLOURS = {"CLIENT": "cyan", "PROVIDER": "yellow", "OPERATOR": "bold red", "US": "magenta"}
_NEXT = {
    operations_pb2.HIRE_NEXT_ACTION_UNSPECIFIED: "nothing",
    operations_pb2.HIRE_NEXT_ACTION_UNDO_AT_DEADLINE: "undone",
    operations_pb2.HIRE_NEXT_ACTION_READ_PAYMENT: "asks Stripe, within the hour",
    operations_pb2.HIRE_NEXT_ACTION_RETRY_STEP: "tries again, within 60 s",
}


def show_stuck(console: Console, hires: Sequence[operations_pb2.StuckHire]) -> None:
    """Show the hires that wait, a row each."""
    if not hires:
        console.print("Nothing is stuck, and nothing waits.")
        return
    now = datetime.now(UTC)
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for column in ("hire", "last stage", "waits on", "for", "age", "next by itself"):
        table.add_column(column, overflow="fold", no_wrap=column in {"waits on", "age"})
    for stuck in hires:
        party = operations_pb2.HireWaitsOn.Name(stuck.waits_on).removeprefix("HIRE_WAITS_ON_")
        table.add_row(
            stuck.hire.hire_id,
            _stage(stuck.hire.stage),
            Text(party, style=_COLOURS.get(party, "")),
            _wanted(stuck.hire),
            _age(now - stuck.since.ToDatetime(UTC)),
            _next(stuck),
        )
    console.print(table)


def show_story(console: Console, story: operations_pb2.GetHireTimelineResponse) -> None:
    """Show a hire, then what happened, a row per step."""
    show_hire(console, story.hire)
    console.print()
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for column in ("when (UTC)", "who", "what", "why", "Stripe"):
        table.add_column(column, overflow="fold", no_wrap=column == "when (UTC)")
    for entry in story.entries:
        kind = actor_pb2.ActorKind.Name(entry.actor.kind).removeprefix("ACTOR_KIND_").lower()
        table.add_row(
            _time(entry.time),
            "Hireflow" if kind == "service" else f"{kind} {entry.actor.id}",
            entry.description,
            entry.reason,
            entry.stripe_object_id,
        )
    console.print(table)


def show_hire(console: Console, hire: hire_pb2.Hire) -> None:
    """Show how a hire stands, a line per fact; what is not known yet is left out."""
    deadline = f" until {_time(hire.wait_deadline)} UTC" if hire.HasField("wait_deadline") else ""
    facts = {
        "hire": hire.hire_id,
        "state": hire_pb2.HireState.Name(hire.state).removeprefix("HIRE_STATE_"),
        "ended because": hire.end_reason,
        "stage": "" if hire.HasField("end_time") else _stage(hire.stage),
        "waits for": f"{_wanted(hire)}{deadline}" if _wanted(hire) else "",
        "total": f"{hire.quote.total_minor_units / 100:.2f} {hire.quote.currency_code}",
        "organisation": hire.organisation_id,
        "proposal": hire.proposal_id,
        "contract": hire.contract_id,
        "intent": hire.payment_intent_id,
        "charge": hire.charge_id,
        "workflow": hire.workflow_id,
    }
    for name, value in facts.items():
        if value:
            console.print(f"[bold]{name:<14}[/] {value}", highlight=False, soft_wrap=True)


def _wanted(hire: hire_pb2.Hire) -> str:
    if hire.blocked_reason:
        return f"a decision: {hire.blocked_reason}"
    waiting = hire_pb2.HireWaitingFor.Name(hire.waiting_for).removeprefix("HIRE_WAITING_FOR_")
    return "" if waiting == "UNSPECIFIED" else waiting.replace("_", " ").lower()


def _next(stuck: operations_pb2.StuckHire) -> str:
    told = _NEXT[stuck.next_action]
    if stuck.HasField("next_action_time"):
        told += f" at {_time(stuck.next_action_time)}"
    return told


def _stage(stage: "hire_pb2.HireStage.ValueType") -> str:
    return hire_pb2.HireStage.Name(stage).removeprefix("HIRE_STAGE_")


def _time(time: Timestamp) -> str:
    return f"{time.ToDatetime(UTC):%m-%d %H:%M:%S}"


def _age(age: timedelta) -> str:
    minutes, seconds = divmod(int(age.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
