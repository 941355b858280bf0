"""The open jobs that a trainer may find, newest first, a window at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Key, after_parameters, beyond_parameters
from services.proposals.domain import NOT_TOLD, Job
from services.proposals.store.jobs import read_job
from services.proposals.store.tables import INVITATION, JOB, LIVE, OPEN_TO_ALL, PROPOSAL

# How many jobs a window has: ten milliseconds or so to read and to match them.
LOOK = 500
_OPEN_TO_INVITED = sa.text(
    "state = 'PUBLISHED' AND visibility IN ('PUBLIC', 'UNLISTED', 'INVITE_ONLY')"
)
_PLACE = JOB.c.publish_time, JOB.c.job_id
# What the cursor within a window holds: its newest place, its oldest, and a rank.
_WITHIN = (*_PLACE, *_PLACE, PROPOSAL.c.match_score, *_PLACE)
# The oldest place of the last window: no job is before it.
_END: tuple[Key, ...] = (NOT_TOLD, "")
# Ranking asks for no plan, and a plan is the longest of what a row holds.
_COLUMNS = [column for column in JOB.c if not column.name.startswith("plan_")]


@dataclass(frozen=True, slots=True)
class Window:
    """Open jobs that are ranked together, without their plans: those between two places.

    `ends` are its newest and its oldest place, so that it is the same window on every page of it,
    whatever is published meanwhile; `invited` has ids of jobs.
    """

    ends: tuple[Key, ...]
    jobs: tuple[Job, ...]
    invited: frozenset[str]

    @property
    def behind(self) -> tuple[Key, ...]:
        """The place behind which the next window begins; empty where there is none."""
        oldest = self.ends[len(_PLACE) :]
        return () if oldest == _END else oldest


def is_within(cursor: Cursor) -> bool:
    """Tell whether the cursor leads on within a window, and not to the next one."""
    return len(cursor.after) > len(_PLACE)


async def find_window(connection: AsyncConnection, trainer_id: str, cursor: Cursor) -> Window:
    """Read the window that the cursor is in, or the one behind the place that it has.

    Raises InvalidInput for a cursor of no such list.
    """
    within = is_within(cursor)
    given = after_parameters(cursor, *(_WITHIN if within else _PLACE))
    statement = _SAME if within else _NEXT if cursor.after else _FIRST
    found = await connection.execute(statement, {"of_trainer": trainer_id, **given})
    rows = found.all()
    invited = frozenset(row.job_id for row in rows if row.invited)
    if within:
        return Window(cursor.after[: len(_END) * 2], tuple(map(read_job, rows)), invited)
    jobs = tuple(map(read_job, rows[:LOOK]))
    newest = _place(jobs[0]) if jobs else _END
    oldest = _place(jobs[-1]) if len(rows) > LOOK else _END
    return Window(newest + oldest, jobs, invited)


async def proposed_for(
    connection: AsyncConnection, trainer_id: str, job_ids: Collection[str]
) -> set[str]:
    """Tell on which of the jobs a trainer has a live proposal."""
    query = sa.select(PROPOSAL.c.job_id).where(
        PROPOSAL.c.job_id.in_(job_ids), PROPOSAL.c.trainer_id == trainer_id, LIVE
    )
    return set((await connection.execute(query)).scalars())


def _place(job: Job) -> tuple[Key, ...]:
    return job.publish_time, job.job_id


def _newest(within: sa.ColumnElement[bool], *, limit: int | None) -> sa.Select[tuple[Any, ...]]:
    """Build the statement of a window: what is open to all merged with what invites the trainer.

    All the trainer's invitations are looked up, in an index: people invite a person one by one.
    """
    by = [column.desc() for column in _PLACE]
    to_all = sa.select(*_PLACE).where(OPEN_TO_ALL, within).order_by(*by).limit(limit)
    inviting = (INVITATION.c.job_id == JOB.c.job_id) & (
        INVITATION.c.trainer_id == sa.bindparam("of_trainer")
    )
    to_invited = (
        sa.select(*_PLACE)
        .join(INVITATION, inviting)
        .where(_OPEN_TO_INVITED, within)
        .order_by(*by)
        .limit(limit)
    )
    found = sa.union(to_all, to_invited).subquery("found")
    invited = INVITATION.c.trainer_id.is_not(None).label("invited")
    return (
        sa.select(*_COLUMNS, sa.null().label("plan_version"), invited)
        .join(found, found.c.job_id == JOB.c.job_id)
        .outerjoin(INVITATION, inviting)
        .order_by(*by)
        .limit(limit)
    )


def _between_ends() -> sa.ColumnElement[bool]:
    newest_time, newest_id, oldest_time, oldest_id = (
        sa.bindparam(f"after_{at}", type_=column.type) for at, column in enumerate(_WITHIN[:4])
    )
    place = sa.tuple_(*_PLACE)
    return (place <= sa.tuple_(newest_time, newest_id)) & (
        place >= sa.tuple_(oldest_time, oldest_id)
    )


# One more than a window has tells whether another follows. A window that was read before has as
# many as it had, and what was opened again meanwhile.
_FIRST = _newest(sa.true(), limit=LOOK + 1)
_NEXT = _newest(beyond_parameters(*_PLACE, descending=True), limit=LOOK + 1)
_SAME = _newest(_between_ends(), limit=None)
