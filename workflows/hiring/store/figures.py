"""How many hires run and where they stand. By the indexes of running hires: the ended are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.domain import Stage, WaitingFor, WaitsOn
from workflows.hiring.store.hires import RUNNING
from workflows.hiring.store.tables import HIRE, STRIPE_EVENT


@dataclass(frozen=True, slots=True)
class Running:
    """Running hires of one stage that wait for the same; None: they wait for nobody."""

    stage: Stage
    waiting_for: WaitingFor | None
    number: int


@dataclass(frozen=True, slots=True)
class StuckHires:
    """Running hires that do not go on by themselves, by cause.

    Attributes:
        blocked: an operator is needed.
        overdue: they wait on though their deadline is over.
        silent: they wait on us, and no step was taken for long.

    """

    blocked: int
    overdue: int
    silent: int


async def running_hires(connection: AsyncConnection) -> Sequence[Running]:
    """Count running hires by stage and by what they wait for."""
    found = await connection.execute(_RUNNING_HIRES)
    return [
        Running(
            Stage(row.stage), WaitingFor(row.waiting_for) if row.waiting_for else None, row.number
        )
        for row in found
    ]


async def stuck_hires(
    connection: AsyncConnection, *, overdue_before: datetime, silent_before: datetime
) -> StuckHires:
    """Count running hires that are stuck; one that is blocked counts as that alone."""
    told = {"overdue_before": overdue_before, "silent_before": silent_before}
    row = (await connection.execute(_STUCK_HIRES, told)).mappings().one()
    return StuckHires(**row)


async def oldest_unrouted(connection: AsyncConnection) -> datetime | None:
    """Tell when the oldest of the provider's events that are to be routed was received."""
    received: datetime | None = (await connection.execute(_OLDEST_UNROUTED)).scalar_one()
    return received


def _stuck_hires() -> sa.Executable:
    blocked = HIRE.c.blocked_reason.is_not(None)
    overdue = ~blocked & (HIRE.c.wait_deadline < sa.bindparam("overdue_before"))
    silent = (HIRE.c.waits_on == WaitsOn.US) & (HIRE.c.stands_since < sa.bindparam("silent_before"))
    counts = {"blocked": blocked, "overdue": overdue, "silent": silent}
    counted = (sa.func.count().filter(each).label(name) for name, each in counts.items())
    return sa.select(*counted).where(RUNNING)


_BY = (HIRE.c.stage, HIRE.c.waiting_for)
# Put together once: every process asks every few seconds.
_RUNNING_HIRES = sa.select(*_BY, sa.func.count().label("number")).where(RUNNING).group_by(*_BY)
_STUCK_HIRES = _stuck_hires()
_OLDEST_UNROUTED = sa.select(sa.func.min(STRIPE_EVENT.c.received_at)).where(
    STRIPE_EVENT.c.routed_at.is_(None)
)
