"""What hiring measures: hires by stage, the stuck ones, how they ended, the provider's events."""

from datetime import timedelta
from enum import StrEnum

from opentelemetry.metrics import Observation

from services.common.metrics import METER, Figures, Gauge
from workflows.hiring.domain import Hire, Route, Stage, StepRecord
from workflows.hiring.store import figures
from workflows.hiring.use_cases.unit import Hiring

OVERDUE = timedelta(minutes=2)
"""A deadline that is over by this much should have been acted upon."""
SILENT = timedelta(minutes=10)
"""A hire that waits on us takes a step within seconds, or something of ours is away."""

RUNNING = Gauge(
    "hireflow.hires.running", "{hire}", "Running hires by stage and what they wait for."
)
STUCK = Gauge("hireflow.hires.stuck", "{hire}", "Running hires that do not go on, by cause.")
UNROUTED_AGE = Gauge(
    "hireflow.webhook.unrouted.age", "s", "Age of the oldest event of Stripe not routed yet."
)
DURATION = METER.create_histogram(
    "hireflow.hire.duration",
    unit="s",
    description="From the start of a hire to its end, by its end.",
    explicit_bucket_boundaries_advisory=(0.5, 1, 2, 5, 10, 30, 60, 600, 3600, 21_600, 86_400),
)
ROUTED = METER.create_counter(
    "hireflow.webhook.routed", unit="{event}", description="Events of Stripe by where they went."
)
FINDS = METER.create_counter(
    "hireflow.reconciler.finds",
    unit="{find}",
    description="What the sweep found, by kind.",
)
_NOBODY = "NOBODY"
_STAGES = [stage for stage in Stage if stage is not Stage.ENDED]


class Find(StrEnum):
    """What the reconciler finds; each look counts anew what is still there.

    ABANDONED_HIRE: it runs by its row and by no workflow. FORGOTTEN_HIRE: Temporal has no word of
    it. ORPHANED_FUNDING: open though its hire was undone.
    """

    ABANDONED_HIRE = "ABANDONED_HIRE"
    FORGOTTEN_HIRE = "FORGOTTEN_HIRE"
    ORPHANED_FUNDING = "ORPHANED_FUNDING"


def count_find(find: Find, number: int = 1) -> None:
    """Count what the reconciler found; with 0 at its start, so that the first one is a rise."""
    FINDS.add(number, {"hireflow.find": find.value})


def count_routed(route: Route, number: int = 1) -> None:
    """Count an event of the provider that was routed; with 0 as above."""
    ROUTED.add(number, {"hireflow.webhook.route": route.value})


def measure_end(hire: Hire, record: StepRecord) -> None:
    """Measure a hire that a step ended, once that is committed."""
    end = record.changes.state
    if end is not None:
        labels = {
            "hireflow.hire.state": end.value,
            "hireflow.hire.end_reason": record.changes.end_reason or "",
        }
        DURATION.record((record.time - hire.create_time).total_seconds(), labels)


class HireFigures:
    """Reads what stands in hiring's rows."""

    def __init__(self, hiring: Hiring) -> None:
        self._hiring = hiring
        for route in Route:
            count_routed(route, 0)

    async def read(self) -> Figures:
        """Read it. Raises Unavailable."""
        now = self._hiring.clock()
        async with self._hiring.database.read() as connection:
            running = await figures.running_hires(connection)
            stuck = await figures.stuck_hires(
                connection, overdue_before=now - OVERDUE, silent_before=now - SILENT
            )
            unrouted = await figures.oldest_unrouted(connection)
        numbers: dict[tuple[str, str], int] = {(stage, _NOBODY): 0 for stage in _STAGES}
        numbers |= {(each.stage, each.waiting_for or _NOBODY): each.number for each in running}
        causes = {"blocked": stuck.blocked, "overdue": stuck.overdue, "silent": stuck.silent}
        age = max(0.0, (now - unrouted).total_seconds()) if unrouted else 0.0
        return {
            RUNNING: [
                Observation(
                    number, {"hireflow.hire.stage": stage, "hireflow.hire.waiting_for": waiting}
                )
                for (stage, waiting), number in numbers.items()
            ],
            STUCK: [
                Observation(number, {"hireflow.cause": cause}) for cause, number in causes.items()
            ],
            UNROUTED_AGE: [Observation(age)],
        }
