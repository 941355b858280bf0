"""What contracts told of the work on a job."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.domain import ReservationState, Ties
from services.jobs.domain.work import OVER, RESOLVED
from services.jobs.store.tables import CONTRACT, MILESTONE, RESERVATION

_CONTRACT, _MILESTONE = insert(CONTRACT), insert(MILESTONE)
_CONTRACT = _CONTRACT.on_conflict_do_update(
    index_elements=["contract_id"], set_={"state": _CONTRACT.excluded.state}
)
_MILESTONE = _MILESTONE.on_conflict_do_update(
    index_elements=["contract_id", "milestone_id"], set_={"state": _MILESTONE.excluded.state}
)


async def learn_contract(
    tx: AsyncConnection, contract_id: str, *, job_id: str, trainer_id: str, state: str
) -> None:
    """Store how a contract stands after its last event."""
    row = {"contract_id": contract_id, "job_id": job_id, "trainer_id": trainer_id, "state": state}
    await tx.execute(_CONTRACT, row)


async def learn_milestone(
    tx: AsyncConnection, contract_id: str, milestone_id: str, state: str
) -> None:
    """Store how a milestone stands after its contract's last event."""
    row = {"contract_id": contract_id, "milestone_id": milestone_id, "state": state}
    await tx.execute(_MILESTONE, row)


async def ties_of(tx: AsyncConnection, job_id: str) -> Ties:
    """Count what of a job is not over; the lock on its job keeps new hires out."""
    contracts = (
        sa.select(sa.func.count())
        .where(CONTRACT.c.job_id == job_id, CONTRACT.c.state.not_in(OVER))
        .scalar_subquery()
    )
    milestones = (
        sa.select(sa.func.count())
        .select_from(CONTRACT.join(MILESTONE, MILESTONE.c.contract_id == CONTRACT.c.contract_id))
        .where(CONTRACT.c.job_id == job_id, MILESTONE.c.state.not_in(RESOLVED))
        .scalar_subquery()
    )
    holding = sa.select(sa.func.count()).where(RESERVATION.c.job_id == job_id)
    hires = holding.where(RESERVATION.c.state == ReservationState.RESERVED).scalar_subquery()
    heard = sa.exists().where(CONTRACT.c.contract_id == RESERVATION.c.contract_id)
    unheard = holding.where(
        RESERVATION.c.state == ReservationState.FILLED, ~heard
    ).scalar_subquery()
    row = (await tx.execute(sa.select(hires, contracts, milestones, unheard))).one()
    return Ties(*row)
