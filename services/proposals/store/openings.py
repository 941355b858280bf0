"""The open jobs that a trainer may find."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Job
from services.proposals.store.jobs import read_job
from services.proposals.store.tables import INVITATION, JOB, LIVE, OPEN_TO_ALL, PROPOSAL

# How many jobs of each kind are ranked at most: ten milliseconds or so to read and to match them.
_LOOK = 500
# A job that only its link leads to is in no list, also of trainers who are invited.
_OPEN_TO_INVITED = sa.text("state = 'PUBLISHED' AND visibility IN ('PUBLIC', 'INVITE_ONLY')")
# Ranking asks for no plan, and a plan is the longest of what a row holds.
_COLUMNS = [column for column in JOB.c if not column.name.startswith("plan_")]
_NEWEST: sa.Select[Any] = (
    sa.select(*_COLUMNS, sa.null().label("plan_version"))
    .order_by(JOB.c.publish_time.desc(), JOB.c.job_id.desc())
    .limit(_LOOK)
)


async def open_to_all(connection: AsyncConnection) -> list[Job]:
    """Read the newest open jobs that any trainer may find, without their plans."""
    return [read_job(row) for row in await connection.execute(_NEWEST.where(OPEN_TO_ALL))]


async def open_to_invited(connection: AsyncConnection, trainer_id: str) -> list[Job]:
    """Read the newest open jobs to which a trainer is invited, without their plans.

    All the trainer's invitations are looked up, in an index: people invite a person one by one.
    """
    query = (
        _NEWEST.join(INVITATION, INVITATION.c.job_id == JOB.c.job_id)
        .where(INVITATION.c.trainer_id == trainer_id)
        .where(_OPEN_TO_INVITED)
    )
    return [read_job(row) for row in await connection.execute(query)]


async def proposed_for(
    connection: AsyncConnection, trainer_id: str, job_ids: Collection[str]
) -> set[str]:
    """Tell on which of the jobs a trainer has a live proposal."""
    query = sa.select(PROPOSAL.c.job_id).where(
        PROPOSAL.c.job_id.in_(job_ids), PROPOSAL.c.trainer_id == trainer_id, LIVE
    )
    return set((await connection.execute(query)).scalars())
