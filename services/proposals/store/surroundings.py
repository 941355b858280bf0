"""Which thread is a proposal's, and what stands around a proposal in one read."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Reservation, ReservationState, Surroundings
from services.proposals.store.profiles import profile_of
from services.proposals.store.proposals import WHOLE, proposal_of
from services.proposals.store.tables import PROFILE, PROPOSAL, RESERVATION, THREAD


async def learn_thread(tx: AsyncConnection, proposal_id: str, thread_id: str) -> None:
    """Store which thread is a proposal's; it has one for ever."""
    row = insert(THREAD).values(proposal_id=proposal_id, thread_id=thread_id)
    await tx.execute(row.on_conflict_do_nothing(index_elements=["proposal_id"]))


_LAST_HIRE = (
    sa.select(RESERVATION)
    .where(RESERVATION.c.proposal_id == PROPOSAL.c.proposal_id)
    .order_by(RESERVATION.c.reserve_time.desc(), RESERVATION.c.hire_id.desc())
    .limit(1)
    .lateral("last_hire")
)
_PROFILE = tuple(column.label(f"profile__{column.name}") for column in PROFILE.c)
_AROUND = (
    sa.select(
        *WHOLE,
        *_PROFILE,
        THREAD.c.thread_id,
        _LAST_HIRE.c.hire_id.label("last_hire_id"),
        _LAST_HIRE.c.state,
        _LAST_HIRE.c.contract_id,
        _LAST_HIRE.c.reserve_time,
    )
    .join(PROFILE, PROFILE.c.trainer_id == PROPOSAL.c.trainer_id)
    .outerjoin(THREAD, THREAD.c.proposal_id == PROPOSAL.c.proposal_id)
    .outerjoin(_LAST_HIRE, sa.true())
)


async def find_surroundings(connection: AsyncConnection, proposal_id: str) -> Surroundings | None:
    """Read a proposal with its trainer's profile, its thread and its last hire."""
    found = await connection.execute(_AROUND.where(PROPOSAL.c.proposal_id == proposal_id))
    row = found.one_or_none()
    if row is None:
        return None
    hire = row.last_hire_id and Reservation(
        row.last_hire_id, row.proposal_id, ReservationState(row.state), row.contract_id or ""
    )
    profile = {column.name: getattr(row, f"profile__{column.name}") for column in PROFILE.c}
    return Surroundings(
        proposal=proposal_of(row),
        profile=profile_of(profile),
        thread_id=row.thread_id or "",
        hire=hire or None,
        reserve_time=row.reserve_time,
    )
