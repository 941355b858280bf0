"""What clients were told, held against what became of their hires."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from deploy.local.audit import Facts, Finding, Kind
from deploy.local.chaos.clients import HIRED, Case, how_it_stands
from deploy.local.chaos.plan import HireKind
from hireflow.hiring.v1 import hire_pb2


def promises_broken(
    cases: Sequence[Case], facts: Facts, payment_deadline: float
) -> Iterator[Finding]:
    """Tell where a hire became something else than its client was told; deadline in seconds."""
    deadline = timedelta(seconds=payment_deadline)
    for case in cases:
        who = f"client {case.planned.number} ({case.planned.kind})"
        mine = [h for h in facts.hires.values() if h.proposal_id in case.proposals]
        some = mine[0].hire_id if mine else ""
        if not case.done:
            yield Finding(Kind.STUCK, some, f"{who} still waits for an answer")
        for broken in case.broken:
            yield Finding(Kind.PROMISE, some, f"{who}: {broken}")
        if case.done and not case.broken and not mine:
            yield Finding(Kind.LOST, "", f"{who}: no hire of it is known")
        ends = {hire.hire_id: how_it_stands(hire) for hire in mine}
        hired = list(ends.values()).count(HIRED)
        if case.done and case.planned.kind is HireKind.LAST_POSITION and hired != 1:
            told = f"{len(case.proposals)} hires for the last position ended {ends}"
            yield Finding(Kind.PROMISE, some, f"{who}: {told}")
        for hire in mine:
            yield from _of_hire(case, hire, facts.steps.get(hire.hire_id, ()), deadline, who)


def _of_hire(
    case: Case, hire: hire_pb2.Hire, steps: Sequence[int], deadline: timedelta, who: str
) -> Iterator[Finding]:
    end, allowed = how_it_stands(hire), case.allowed.get(hire.hire_id)
    ended = hire.state != hire_pb2.HIRE_STATE_RUNNING  # one that runs is told as stuck
    if ended and allowed is not None and end not in allowed:
        expected = " or ".join(sorted(allowed))
        yield Finding(Kind.PROMISE, hire.hire_id, f"{who} was promised {expected}, it is {end}")
    lived = hire.end_time.ToDatetime() - hire.create_time.ToDatetime()
    if hire.end_reason == "PAYMENT_EXPIRED" and lived < deadline:
        told = f"{who}: it expired after {lived.total_seconds():.1f} s"
        yield Finding(Kind.PROMISE, hire.hire_id, told)
    live = case.told.get(hire.hire_id)
    if case.done and live is not None and list(live) != list(steps):
        told = f"{who} was told the steps {live} live, the story is {list(steps)}"
        yield Finding(Kind.PROMISE, hire.hire_id, told)
