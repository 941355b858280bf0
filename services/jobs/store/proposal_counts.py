"""The count of each job's live proposals."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.store.tables import LIVE_PROPOSAL, PROPOSAL_COUNT

_OF_PROPOSAL = LIVE_PROPOSAL.c.proposal_id == sa.bindparam("of_proposal")
_CAME = insert(LIVE_PROPOSAL).on_conflict_do_nothing().returning(LIVE_PROPOSAL.c.proposal_id)
_LEFT = sa.delete(LIVE_PROPOSAL).where(_OF_PROPOSAL).returning(LIVE_PROPOSAL.c.proposal_id)
_ONE_MORE = insert(PROPOSAL_COUNT).on_conflict_do_update(
    index_elements=["job_id"], set_={"live": PROPOSAL_COUNT.c.live + 1}
)
_ONE_LESS = (
    sa.update(PROPOSAL_COUNT)
    .where(PROPOSAL_COUNT.c.job_id == sa.bindparam("of_job"))
    .values(live=PROPOSAL_COUNT.c.live - 1)
)


async def count_proposal(tx: AsyncConnection, job_id: str, proposal_id: str, *, live: bool) -> None:
    """Count a proposal in its job while it is live; a repeat changes nothing."""
    if live:
        came = await tx.execute(_CAME, {"proposal_id": proposal_id, "job_id": job_id})
        if came.one_or_none() is not None:
            await tx.execute(_ONE_MORE, {"job_id": job_id, "live": 1})
    else:
        left = await tx.execute(_LEFT, {"of_proposal": proposal_id})
        if left.one_or_none() is not None:
            await tx.execute(_ONE_LESS, {"of_job": job_id})
