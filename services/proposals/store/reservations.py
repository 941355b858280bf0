"""What hires hold. Each is written under the lock on its proposal's row."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Reservation, ReservationState, ReviewState
from services.proposals.store.tables import RESERVATION


async def claim_reservation(tx: AsyncConnection, wanted: Reservation) -> Reservation | None:
    """Store a hire's first word on its proposal, or answer with what it said before.

    The unique key on the hire decides, so a release that overtakes its reserve is never lost.
    """
    stored = await tx.execute(
        insert(RESERVATION)
        .values(_values(wanted))
        .on_conflict_do_nothing(index_elements=["hire_id"])
        .returning(RESERVATION.c.hire_id)
    )
    if stored.one_or_none() is not None:
        return None
    return await find_reservation(tx, wanted.hire_id)


async def find_reservation(tx: AsyncConnection, hire_id: str) -> Reservation | None:
    """Read a hire's reservation."""
    query = sa.select(RESERVATION).where(RESERVATION.c.hire_id == hire_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return Reservation(
        hire_id=row.hire_id,
        proposal_id=row.proposal_id,
        state=ReservationState(row.state),
        contract_id=row.contract_id or "",
        reviewed=None if row.reviewed is None else ReviewState(row.reviewed),
    )


async def save_reservation(tx: AsyncConnection, reservation: Reservation) -> None:
    """Store what became of a reservation."""
    changed = sa.update(RESERVATION).where(RESERVATION.c.hire_id == reservation.hire_id)
    await tx.execute(changed.values(_values(reservation)))


def _values(reservation: Reservation) -> dict[str, object]:
    return {
        "hire_id": reservation.hire_id,
        "proposal_id": reservation.proposal_id,
        "state": reservation.state,
        "contract_id": reservation.contract_id or None,
        "reviewed": reservation.reviewed,
    }
