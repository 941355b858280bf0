"""What is known of jobs and folders, kept by their events.

Events of one aggregate come in order and once, so the last one is right.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import NotFound
from services.proposals.domain import Job
from services.proposals.store import jobs
from services.proposals.use_cases.access import Trainer


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Keep a job as its last event told it."""
    await jobs.learn_job(tx, job)


async def learn_invitations(tx: AsyncConnection, job_id: str, trainer_ids: Sequence[str]) -> None:
    """Keep who is invited to a job."""
    if trainer_ids:
        await jobs.add_invitations(tx, job_id, trainer_ids)


async def learn_revocation(tx: AsyncConnection, job_id: str, trainer_id: str) -> None:
    """Keep that a trainer is invited no more; what the trainer began on the job stays."""
    await jobs.remove_invitation(tx, job_id, trainer_id)


async def learn_folder(
    tx: AsyncConnection, folder_id: str, organisation_id: str, *, deleted: bool
) -> None:
    """Keep that a folder is there, or is no more."""
    if deleted:
        await jobs.forget_folder(tx, folder_id)
    else:
        await jobs.learn_folder(tx, folder_id, organisation_id)


async def visible_job(tx: AsyncConnection, trainer: Trainer, job_id: str) -> Job:
    """Read a job that a trainer may know of.

    Raises NotFound when it is unknown, not yet told of, not for trainers, or for invited ones and
    the trainer is not.
    """
    job = await jobs.find_job(tx, job_id)
    if job is None:
        raise NotFound("job", job_id)
    invited = job.visibility == "INVITE_ONLY" and await jobs.is_invited(tx, job_id, trainer.id)
    if not job.visible_to_trainer(invited=invited):
        raise NotFound("job", job_id)
    return job
