"""What a run will do, drawn up front from one seed: the same seed is the same plan.

What comes of it differs from run to run: processes, disks and the network keep their own time.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from deploy.local.stack import PROCESSES

RIVALS = 3
Kind = TypeVar("Kind")
# Who may be cut off: whoever is called. Nobody calls the worker.
LINES = tuple(name for name in PROCESSES if name != "worker")


class HireKind(StrEnum):
    """What the client of a hire does."""

    GOOD_CARD = "good card"
    SECURE = "3-D Secure"
    DECLINED = "declined, then another card"
    CANCELLED = "cancelled"
    OTHER_TERMS = "other terms"
    DOUBLE_CLICKS = "double clicks"
    LAST_POSITION = "last position"
    ABANDONED = "abandoned"


class FaultKind(StrEnum):
    """What is done to the system."""

    KILL = "kill -9"
    PAUSE = "pause"
    STRIPE = "Stripe"
    WEBHOOK = "webhook"
    CUT = "cut"


# What most people do comes most often; what is hardest to get right comes often enough.
_HIRE_WEIGHTS = {
    HireKind.GOOD_CARD: 4,
    HireKind.SECURE: 3,
    HireKind.DECLINED: 2,
    HireKind.CANCELLED: 3,
    HireKind.OTHER_TERMS: 2,
    HireKind.DOUBLE_CLICKS: 2,
    HireKind.LAST_POSITION: 2,
    HireKind.ABANDONED: 1,
}
_FAULT_WEIGHTS = {
    FaultKind.KILL: 6,
    FaultKind.PAUSE: 4,
    FaultKind.STRIPE: 5,
    FaultKind.WEBHOOK: 3,
    FaultKind.CUT: 4,
}


# The two that carry a hire's story die twice as often as the others.
_MORTALS = (*PROCESSES, "hiring", "worker")
_TARGETS = {
    FaultKind.KILL: _MORTALS,
    FaultKind.PAUSE: _MORTALS,
    FaultKind.CUT: LINES,
    FaultKind.STRIPE: (
        "500_before",
        "commit_then_500",
        "429",
        "409",
        "commit_then_hang",
        "drop_connection_after_commit",
        "delay_seconds",
    ),
    FaultKind.WEBHOOK: ("drop", "duplicate", "delay", "reorder", "hold"),
}
_STRIPE_OPERATIONS = (
    "payment_intents.create",
    "payment_intents.confirm",
    "payment_intents.cancel",
    "payment_intents.retrieve",
    "payment_intents.*",
    "refunds.*",
)


@dataclass(frozen=True, slots=True)
class PlannedHire:
    """A client and when it comes; times are seconds.

    Attributes:
        pause: how long it takes over the one thing it has to decide.
        twist: the less usual way of its kind, such as cancelling a hire whose card is good.
        hires: how many trainers it wants to hire, more than one for the last position.

    """

    number: int
    kind: HireKind
    at: float
    pause: float
    twist: bool
    hires: int = 1


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault, when it comes, whom it meets, and for how many seconds.

    Attributes:
        target: a process, a line to one, a kind of Stripe's misbehaviour or of a webhook's.
        rule: what the Stripe sandbox is told, for the two kinds that it plays.

    """

    number: int
    kind: FaultKind
    at: float
    target: str
    seconds: float
    rule: Mapping[str, str | int | float]

    def __str__(self) -> str:
        """Tell it in a few words."""
        lasting = f" for {self.seconds:.1f} s" if self.kind is not FaultKind.CUT else ""
        about = f" on {self.rule['operation']}" if "operation" in self.rule else ""
        times = f" x{self.rule['times']}" if "times" in self.rule else ""
        return f"{self.kind} {self.target}{about}{times}{lasting}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run: whoever comes, whatever happens; hires and faults come in `seconds`."""

    seed: int
    seconds: float
    hires: tuple[PlannedHire, ...]
    faults: tuple[PlannedFault, ...]


def draw(seed: int, *, hires: int, faults: int, seconds: float) -> Plan:
    """Draw a plan; hires and faults are spread over `seconds`."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    return Plan(
        seed=seed,
        seconds=seconds,
        hires=tuple(sorted(_hires(dice, hires, seconds), key=lambda each: each.at)),
        faults=tuple(sorted(_faults(dice, faults, seconds), key=lambda each: each.at)),
    )


def _hires(dice: random.Random, wanted: int, seconds: float) -> Iterator[PlannedHire]:
    number = 0
    kinds = _dealt(dice, _HIRE_WEIGHTS)
    while wanted > 0:
        number += 1
        kind = next(kinds)
        rivals = min(RIVALS, wanted) if kind is HireKind.LAST_POSITION else 1
        yield PlannedHire(
            number=number,
            kind=kind,
            at=dice.uniform(0, seconds * 0.9),
            pause=dice.choice((0.0, dice.uniform(0, 0.5), dice.uniform(0, 5))),
            twist=dice.random() < 0.5,
            hires=rivals,
        )
        wanted -= rivals


def _faults(dice: random.Random, wanted: int, seconds: float) -> Iterator[PlannedFault]:
    kinds = _dealt(dice, _FAULT_WEIGHTS)
    targets = {kind: _shuffled(dice, each) for kind, each in _TARGETS.items()}
    for number in range(1, wanted + 1):
        kind = next(kinds)
        target, length = next(targets[kind]), dice.uniform(0.1, 4)
        rule: dict[str, str | int | float] = {}
        if kind is FaultKind.PAUSE and dice.random() < 0.2:
            # Long enough for deadlines, leases and connections to give up.
            length = dice.uniform(4, 12)
        elif kind is FaultKind.STRIPE:
            operation, times = dice.choice(_STRIPE_OPERATIONS), dice.randint(1, 4)
            rule = {"kind": target, "operation": operation, "times": times, "seconds": length}
        elif kind is FaultKind.WEBHOOK:
            rule = {"kind": target, "times": dice.randint(1, 6), "seconds": length}
        at = dice.uniform(seconds * 0.05, seconds)
        yield PlannedFault(number, kind, at, target, length, rule)


def _shuffled(dice: random.Random, targets: Sequence[str]) -> Iterator[str]:
    """Give the targets in random order, all of them before any again, without end."""
    while True:
        yield from dice.sample(targets, len(targets))


def _dealt(dice: random.Random, weights: Mapping[Kind, int]) -> Iterator[Kind]:
    """Deal every kind once, so that short runs have them all, then by weight without end."""
    kinds = list(weights)
    yield from dice.sample(kinds, len(kinds))
    while True:
        yield dice.choices(kinds, list(weights.values()))[0]
