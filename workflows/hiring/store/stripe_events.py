"""The provider's events as received, and where each was routed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.domain import Route, StripeEvent
from workflows.hiring.store.tables import STRIPE_EVENT


async def insert_event(tx: AsyncConnection, event: StripeEvent) -> bool:
    """Store an event; false when it was received before."""
    done = await tx.execute(
        insert(STRIPE_EVENT)
        .values(
            event_id=event.event_id,
            type=event.type,
            object_id=event.object_id,
            funding_id=event.funding_id or None,
            payload={"status": event.status, "env": event.env},
            received_at=event.received_at,
            attempts=0,
            next_try_at=event.received_at,
        )
        .on_conflict_do_nothing(index_elements=[STRIPE_EVENT.c.event_id])
    )
    return bool(done.rowcount)


async def claim_events(
    tx: AsyncConnection, now: datetime, lease: timedelta, limit: int
) -> Sequence[StripeEvent]:
    """Claim events that are to be routed now, for as long as the lease."""
    due = (
        sa.select(STRIPE_EVENT.c.event_id)
        .where(STRIPE_EVENT.c.routed_at.is_(None), STRIPE_EVENT.c.next_try_at <= now)
        .order_by(STRIPE_EVENT.c.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = await tx.execute(
        sa.update(STRIPE_EVENT)
        .where(STRIPE_EVENT.c.event_id.in_(due))
        .values(attempts=STRIPE_EVENT.c.attempts + 1, next_try_at=now + lease)
        .returning(STRIPE_EVENT)
    )
    return [_event(row) for row in claimed.mappings()]


async def next_due(connection: AsyncConnection) -> datetime | None:
    """Tell when the next event is to be routed; None if all are."""
    query = sa.select(sa.func.min(STRIPE_EVENT.c.next_try_at)).where(
        STRIPE_EVENT.c.routed_at.is_(None)
    )
    due: datetime | None = (await connection.execute(query)).scalar_one()
    return due


async def save_route(tx: AsyncConnection, event_id: str, route: Route, now: datetime) -> None:
    """Store where an event went, for good."""
    mine = STRIPE_EVENT.c.event_id == event_id
    await tx.execute(sa.update(STRIPE_EVENT).where(mine).values(route=route.value, routed_at=now))


async def postpone(
    tx: AsyncConnection, event_id: str, next_try_at: datetime, *, waiting: bool
) -> None:
    """Have an event routed later; `waiting` for a funding that is not there yet."""
    route = Route.WAITING.value if waiting else STRIPE_EVENT.c.route
    mine = STRIPE_EVENT.c.event_id == event_id
    await tx.execute(
        sa.update(STRIPE_EVENT).where(mine).values(route=route, next_try_at=next_try_at)
    )


def _event(row: sa.RowMapping) -> StripeEvent:
    return StripeEvent(
        event_id=row["event_id"],
        type=row["type"],
        object_id=row["object_id"],
        status=row["payload"]["status"],
        env=row["payload"]["env"],
        funding_id=row["funding_id"] or "",
        received_at=row["received_at"],
    )
