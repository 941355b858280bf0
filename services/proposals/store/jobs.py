"""What is known of jobs: themselves, who is invited to them, and the folders they are in."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Job, Question, ScreeningPlan
from services.proposals.store.tables import FOLDER, INVITATION, JOB

# Put together once, as whatever is asked for each event or proposal.
_FOUND = sa.select(JOB).where(JOB.c.job_id == sa.bindparam("of_job"))
_LEARNED = insert(JOB)
_LEARNED = _LEARNED.on_conflict_do_update(
    index_elements=["job_id"],
    set_={
        **{column.name: column for column in _LEARNED.excluded},
        # One event alone tells when it was published; the others leave that be.
        "publish_time": sa.func.greatest(JOB.c.publish_time, _LEARNED.excluded.publish_time),
    },
)


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Store what the last event told of a job, in place of what was known."""
    row = {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "state": job.state,
        "visibility": job.visibility,
        "required_languages": list(job.required_languages),
        "required_skills": list(job.required_skills),
        "required_countries": list(job.required_countries),
        "folder_id": job.folder_id,
        "plan_version": job.plan and job.plan.version,
        "plan_questions": job.plan and written_questions(job.plan),
        "publish_time": job.publish_time,
    }
    await tx.execute(_LEARNED, row)


async def find_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """Read what is known of a job."""
    row = (await connection.execute(_FOUND, {"of_job": job_id})).one_or_none()
    return None if row is None else read_job(row)


async def add_invitations(tx: AsyncConnection, job_id: str, trainer_ids: Sequence[str]) -> None:
    """Store who is invited to a job; who is already stays it."""
    rows = [{"job_id": job_id, "trainer_id": trainer_id} for trainer_id in trainer_ids]
    await tx.execute(insert(INVITATION).on_conflict_do_nothing(), rows)


async def remove_invitation(tx: AsyncConnection, job_id: str, trainer_id: str) -> None:
    """Forget that a trainer is invited to a job."""
    row = (INVITATION.c.job_id == job_id) & (INVITATION.c.trainer_id == trainer_id)
    await tx.execute(sa.delete(INVITATION).where(row))


async def is_invited(connection: AsyncConnection, job_id: str, trainer_id: str) -> bool:
    """Tell whether a trainer is invited to a job."""
    row = (INVITATION.c.job_id == job_id) & (INVITATION.c.trainer_id == trainer_id)
    found = await connection.execute(sa.select(INVITATION.c.job_id).where(row))
    return found.one_or_none() is not None


async def learn_folder(tx: AsyncConnection, folder_id: str, organisation_id: str) -> None:
    """Store that a folder is there."""
    row = insert(FOLDER).values(folder_id=folder_id, organisation_id=organisation_id)
    await tx.execute(row.on_conflict_do_nothing(index_elements=["folder_id"]))


async def forget_folder(tx: AsyncConnection, folder_id: str) -> None:
    """Forget a folder; its jobs tell by themselves that they are in it no more."""
    await tx.execute(sa.delete(FOLDER).where(FOLDER.c.folder_id == folder_id))


def read_job(row: sa.Row[Any]) -> Job:
    """Read a job from its row."""
    return Job(
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        state=row.state,
        visibility=row.visibility,
        required_languages=tuple(row.required_languages),
        required_skills=tuple(row.required_skills),
        required_countries=tuple(row.required_countries),
        folder_id=row.folder_id,
        plan=None
        if row.plan_version is None
        else read_plan(row.plan_version, row.plan_questions or []),
        publish_time=row.publish_time,
    )


def written_questions(plan: ScreeningPlan) -> list[dict[str, Any]]:
    """Write a plan's questions as JSON."""
    return [asdict(question) for question in plan.questions]


def read_plan(version: int, questions: Sequence[dict[str, Any]]) -> ScreeningPlan:
    """Read a plan from its version and its questions as JSON."""
    read = (Question(**{**each, "options": tuple(each["options"])}) for each in questions)
    return ScreeningPlan(version, tuple(read))
