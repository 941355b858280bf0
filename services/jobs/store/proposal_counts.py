"""The count of each job's live proposals."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.store.tables import LIVE_PROPOSAL, PROPOSAL_COUNT


async def count_proposal(tx: AsyncConnection, job_id: str, proposal_id: str, *, live: bool) -> None:
    """Count a proposal in its job while it is live; a repeat changes nothing."""
    row = LIVE_PROPOSAL.c.proposal_id
    came = insert(LIVE_PROPOSAL).values(proposal_id=proposal_id, job_id=job_id)
    left = sa.delete(LIVE_PROPOSAL).where(row == proposal_id)
    changed = await tx.execute(
        came.on_conflict_do_nothing().returning(row) if live else left.returning(row)
    )
    if changed.one_or_none() is None:
        return
    if live:
        first = insert(PROPOSAL_COUNT).values(job_id=job_id, live=1)
        one_more = {"live": PROPOSAL_COUNT.c.live + 1}
        await tx.execute(first.on_conflict_do_update(index_elements=["job_id"], set_=one_more))
    else:
        count = sa.update(PROPOSAL_COUNT).where(PROPOSAL_COUNT.c.job_id == job_id)
        await tx.execute(count.values(live=PROPOSAL_COUNT.c.live - 1))
