"""The count of live proposals that each job shows, kept by the events of proposals."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.store import proposal_counts


async def count_proposal(tx: AsyncConnection, job_id: str, proposal_id: str, *, live: bool) -> None:
    """Count a proposal in its job while it is live; hearing the same again changes nothing.

    Live is what its trainer has not withdrawn, whatever the employer thinks of it.
    """
    await proposal_counts.count_proposal(tx, job_id, proposal_id, live=live)
