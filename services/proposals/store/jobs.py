"""What is known of jobs."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Job
from services.proposals.store.tables import JOB


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Store what the last event told of a job, in place of what was known."""
    values = {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "state": job.state,
        "visibility": job.visibility,
        "required_languages": list(job.required_languages),
        "required_skills": list(job.required_skills),
        "required_countries": list(job.required_countries),
    }
    row = insert(JOB).values(values)
    await tx.execute(row.on_conflict_do_update(index_elements=["job_id"], set_=values))


async def find_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """Read what is known of a job."""
    row = (await connection.execute(sa.select(JOB).where(JOB.c.job_id == job_id))).one_or_none()
    if row is None:
        return None
    return Job(
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        state=row.state,
        visibility=row.visibility,
        required_languages=tuple(row.required_languages),
        required_skills=tuple(row.required_skills),
        required_countries=tuple(row.required_countries),
    )
