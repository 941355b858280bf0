"""Positions that hires reserve and fill."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.jobs.domain import Reservation, ReservationState
from services.jobs.store.tables import RESERVATION


async def claim_reservation(tx: AsyncConnection, reservation: Reservation) -> Reservation | None:
    """Store a hire's first word on its position, or answer with what the hire said before.

    The unique key on the hire decides, so a release that overtakes its reservation and the
    reservation itself never both believe that they came first.
    """
    statement = insert(RESERVATION).values(_reservation_values(reservation))
    first = await tx.execute(
        statement.on_conflict_do_nothing(index_elements=["hire_id"]).returning(
            RESERVATION.c.hire_id
        )
    )
    if first.one_or_none() is not None:
        return None
    return await find_reservation(tx, reservation.hire_id)


async def find_reservation(tx: AsyncConnection, hire_id: str) -> Reservation | None:
    """Read a hire's reservation; the lock on its job keeps it as it is."""
    query = sa.select(RESERVATION).where(RESERVATION.c.hire_id == hire_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return Reservation(
        hire_id=row.hire_id,
        job_id=row.job_id,
        state=ReservationState(row.state),
        contract_id=row.contract_id or "",
        finished_hiring=row.finished_hiring,
    )


async def release_reservation(tx: AsyncConnection, released: Reservation) -> None:
    """Note that a hire gave its position back."""
    await tx.execute(
        sa.update(RESERVATION)
        .where(RESERVATION.c.hire_id == released.hire_id)
        .values(_reservation_values(released))
    )


async def fill_reservation(tx: AsyncConnection, reservation: Reservation) -> bool:
    """Store a filled reservation; False, and nothing stored, if its contract fills another.

    Of two hires that fill with one contract at the same instant the unique key stops one.
    """
    other = RESERVATION.alias("other")
    elsewhere = sa.exists().where(other.c.contract_id == reservation.contract_id)
    stored = await tx.execute(
        sa.update(RESERVATION)
        .where(RESERVATION.c.hire_id == reservation.hire_id, ~elsewhere)
        .values(_reservation_values(reservation))
    )
    return stored.rowcount == 1


def _reservation_values(reservation: Reservation) -> dict[str, object]:
    return {
        "hire_id": reservation.hire_id,
        "job_id": reservation.job_id,
        "state": reservation.state,
        "contract_id": reservation.contract_id or None,
        "finished_hiring": reservation.finished_hiring,
    }
