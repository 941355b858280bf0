"""What jobs keep of contracts: who works on a job, and what of it is not over."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.store import work


async def learn_contract(
    tx: AsyncConnection, contract_id: str, *, job_id: str, trainer_id: str, state: str
) -> None:
    """Keep a contract as its last event told it; hearing the same again changes nothing."""
    await work.learn_contract(tx, contract_id, job_id=job_id, trainer_id=trainer_id, state=state)


async def learn_milestone(
    tx: AsyncConnection, contract_id: str, milestone_id: str, state: str
) -> None:
    """Keep a milestone as its contract's last event told it; the same again changes nothing."""
    await work.learn_milestone(tx, contract_id, milestone_id, state)
