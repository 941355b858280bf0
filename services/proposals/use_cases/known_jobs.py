"""What is known of jobs, kept by their events."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Job
from services.proposals.store import jobs


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Keep a job as its last event told it; events come in order, so the last one is right."""
    await jobs.learn_job(tx, job)
