"""What a chaos run shows while it goes on: a table in a terminal, lines elsewhere."""

from io import StringIO

from rich.console import Console

from deploy.local.chaos.clients import Case
from deploy.local.chaos.plan import FaultKind, HireKind, PlannedFault, PlannedHire
from deploy.local.chaos.view import View

KILL = PlannedFault(1, FaultKind.KILL, at=1, target="worker", seconds=2.0, rule={})


def case(number: int, *, came: bool = False, **stands: str) -> Case:
    planned = PlannedHire(number, HireKind.GOOD_CARD, at=0, pause=0, twist=False)
    return Case(planned, "organisation", stands=stands, came=came)


CASES = [case(1), case(2, came=True), case(3, came=True, hire="HIRED")]


def test_without_a_terminal_each_fault_is_a_line_and_hires_are_counted_now_and_then() -> None:
    output = StringIO()
    view = View(Console(file=output, width=40))
    with view.shown(CASES):
        view.chapter("20 hires, 15 faults")
        view.fault(KILL)
        view.tick()
        view.tick()
    lines = [line.split(" s  ", 1)[1] for line in output.getvalue().splitlines()]
    counted = "hires: 1 to come, 1 being asked for, 1 HIRED"
    assert lines == ["20 hires, 15 faults", "kill -9 worker for 2.0 s", counted]


def test_in_a_terminal_hires_faults_and_what_just_happened_stand_together() -> None:
    output = StringIO()
    view = View(Console(file=output, width=120, force_terminal=True))
    with view.shown(CASES):
        view.chapter("20 hires, 15 faults")
        view.fault(KILL)
    screen = output.getvalue()
    for told in ("to come", "being asked for", "HIRED", "kill -9 worker", "what just happened"):
        assert told in screen
