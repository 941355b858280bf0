"""Who takes part in each proposal, kept by the events of proposals."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.messaging.domain import Proposal
from services.messaging.store import threads


async def learn_proposal(tx: AsyncConnection, proposal: Proposal) -> None:
    """Note who takes part in a proposal; hearing of it again changes nothing."""
    await threads.learn_proposal(tx, proposal)
