"""What will happen, drawn from a seed before anything happens: the same seed, the same plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class HireKind(StrEnum):
    """How the people of a hire behave."""

    GOOD_CARD = "good_card"
    DOUBLE_CLICKS = "double_clicks"
    SECURE = "3d_secure"
    DECLINED_THEN_GOOD = "declined_then_good"
    CANCELLED = "cancelled"
    OTHER_TERMS = "other_terms"
    ABANDONED = "abandoned"
    LAST_POSITION = "last_position"


class Strike(StrEnum):
    """What breaks."""

    KILL = "kill"
    PAUSE = "pause"
    CUT = "cut_connections"
    PROVIDER = "provider_fault"
    WEBHOOK = "webhook_fault"


@dataclass(frozen=True, slots=True)
class PlannedHire:
    """A hire that begins `at` seconds; its people hesitate for `patience` seconds at a time."""

    number: int
    at: float
    kind: HireKind
    patience: float


@dataclass(frozen=True, slots=True)
class PlannedStrike:
    """A strike `at` seconds on a target, for so many seconds."""

    at: float
    strike: Strike
    target: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a seed means."""

    seed: int
    hires: Sequence[PlannedHire]
    strikes: Sequence[PlannedStrike]


OURS = ("worker", "hiring", "jobs", "proposals", "contracts", "messaging")
SERVERS = ("postgres", "nats", "temporal", "stripe")
DATABASE_USERS = ("worker", "hiring", "jobs", "proposals", "contracts", "messaging")
PROVIDER_FAULTS = (
    "500_before",
    "409",
    "429",
    "commit_then_500",
    "drop_connection_after_commit",
    "delay_seconds",
)
WEBHOOK_FAULTS = ("drop", "duplicate", "reorder", "delay")


def draw(seed: int, hires: int, strikes: int, seconds: float) -> Plan:
    """Draw a plan: hires of all kinds and strikes of all kinds within so many seconds."""
    random = Random(seed)  # noqa: S311 - a repeatable plan, no secret
    kinds = tuple(HireKind)
    return Plan(
        seed,
        sorted(
            (
                PlannedHire(
                    number,
                    random.uniform(0, seconds),
                    # Every kind occurs, however few hires there are.
                    kinds[number] if number < len(kinds) else random.choice(kinds),
                    random.uniform(0.05, 3.0),
                )
                for number in range(hires)
            ),
            key=lambda hire: hire.at,
        ),
        sorted((_strike(random, seconds) for _ in range(strikes)), key=lambda strike: strike.at),
    )


def _strike(random: Random, seconds: float) -> PlannedStrike:
    at = random.uniform(0, seconds)
    strike = random.choices(tuple(Strike), weights=(4, 2, 1, 4, 3))[0]
    if strike is Strike.KILL:
        # The servers take longest to come back; mostly our own processes die.
        target = random.choice(OURS * 3 + SERVERS)
        return PlannedStrike(at, strike, target, random.uniform(0.1, 2.0))
    if strike is Strike.PAUSE:
        return PlannedStrike(at, strike, random.choice(OURS + SERVERS), random.uniform(0.5, 6.0))
    if strike is Strike.CUT:
        return PlannedStrike(at, strike, random.choice(DATABASE_USERS), 0)
    faults = PROVIDER_FAULTS if strike is Strike.PROVIDER else WEBHOOK_FAULTS
    return PlannedStrike(at, strike, random.choice(faults), random.uniform(0.5, 5.0))
