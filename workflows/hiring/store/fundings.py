"""Fundings and refunds: what was ordered of the payment provider, and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.domain import (
    Funding,
    FundingChange,
    FundingDraft,
    FundingState,
    RefundDraft,
    RefundRow,
)
from workflows.hiring.store.tables import FUNDING, HIRE, REFUND

_FUNDING_FIELDS = tuple(Funding.__dataclass_fields__)
_REFUND_FIELDS = tuple(RefundRow.__dataclass_fields__)


async def insert_funding(
    tx: AsyncConnection, draft: FundingDraft, state: FundingState, now: datetime
) -> None:
    """Store a funding unless it, or another live one of its milestone, is there already."""
    values = {**asdict(draft), "state": state.value, "create_time": now, "update_time": now}
    await tx.execute(insert(FUNDING).values(values).on_conflict_do_nothing())


async def lock_funding(tx: AsyncConnection, funding_id: str) -> Funding | None:
    """Load a funding and hold its row until the transaction ends."""
    query = sa.select(FUNDING).where(FUNDING.c.funding_id == funding_id).with_for_update()
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _funding(row)


async def find_funding(connection: AsyncConnection, funding_id: str) -> Funding | None:
    """Load a funding."""
    query = sa.select(FUNDING).where(FUNDING.c.funding_id == funding_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _funding(row)


async def charged_or_open(connection: AsyncConnection, hire_id: str) -> Sequence[Funding]:
    """List those fundings of a hire that are not closed without a charge, oldest first."""
    query = (
        sa.select(FUNDING)
        .where(FUNDING.c.hire_id == hire_id, FUNDING.c.state != FundingState.CANCELED.value)
        .order_by(FUNDING.c.create_time)
    )
    return [_funding(row) for row in (await connection.execute(query)).mappings()]


async def open_of_undone(
    connection: AsyncConnection, before: datetime, *, limit: int
) -> Sequence[Funding]:
    """List fundings that are open though their hire was undone before then; there should be none.

    The states are written out, for a plan with parameters matches no partial index.
    """
    query = (
        sa.select(FUNDING)
        .join(HIRE, HIRE.c.hire_id == FUNDING.c.hire_id)
        .where(
            sa.text("hiring.funding.state = 'OPEN' AND hiring.hire.state = 'UNDONE'"),
            HIRE.c.end_time < before,
        )
        .order_by(FUNDING.c.create_time)
        .limit(limit)
    )
    return [_funding(row) for row in (await connection.execute(query)).mappings()]


async def find_by_payment(
    connection: AsyncConnection, intent_id: str | None, charge_id: str
) -> Funding | None:
    """Load the funding of an intent or of a charge, whichever is known of it already."""
    query = sa.select(FUNDING).where(
        # Compared with None it would be every funding that has no intent yet.
        (FUNDING.c.intent_id == (intent_id or "")) | (FUNDING.c.charge_id == charge_id)
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _funding(row)


async def change_funding(tx: AsyncConnection, change: FundingChange, now: datetime) -> None:
    """Store what was learned of a funding whose row this transaction holds."""
    intent = sa.func.coalesce(FUNDING.c.intent_id, change.intent_id)
    charge = sa.func.coalesce(FUNDING.c.charge_id, change.charge_id)
    await tx.execute(
        sa.update(FUNDING)
        .where(FUNDING.c.funding_id == change.funding_id)
        .values(state=change.state.value, intent_id=intent, charge_id=charge, update_time=now)
    )


async def note_create_sent(tx: AsyncConnection, funding_id: str, now: datetime) -> datetime | None:
    """Note when an open funding's intent was first asked for; None if the funding is not open."""
    first = sa.func.coalesce(FUNDING.c.create_sent_at, now)
    done = await tx.execute(
        sa.update(FUNDING)
        .where(FUNDING.c.funding_id == funding_id, FUNDING.c.state == FundingState.OPEN.value)
        .values(create_sent_at=first)
        .returning(FUNDING.c.create_sent_at)
    )
    sent: datetime | None = done.scalar_one_or_none()
    return sent


async def note_create_failed(tx: AsyncConnection, funding_id: str, failed: int) -> None:
    """Count a create that failed at the provider, once: `failed` is how many had before it."""
    await tx.execute(
        sa.update(FUNDING)
        .where(FUNDING.c.funding_id == funding_id, FUNDING.c.creates_failed == failed)
        .values(creates_failed=failed + 1)
    )


async def save_intent(tx: AsyncConnection, funding_id: str, intent_id: str) -> bool:
    """Store a funding's one intent; false when it has another, or there is no such funding."""
    done = await tx.execute(
        sa.update(FUNDING)
        .where(
            FUNDING.c.funding_id == funding_id,
            FUNDING.c.intent_id.is_(None) | (FUNDING.c.intent_id == intent_id),
        )
        .values(intent_id=intent_id)
    )
    return bool(done.rowcount)


async def insert_refund(tx: AsyncConnection, draft: RefundDraft, now: datetime) -> RefundRow:
    """Store a funding's one full refund; the answer is the row that is there."""
    values = {**asdict(draft), "state": "PLANNED", "create_time": now}
    await tx.execute(
        insert(REFUND).values(values).on_conflict_do_nothing(index_elements=[REFUND.c.funding_id])
    )
    query = sa.select(REFUND).where(REFUND.c.funding_id == draft.funding_id)
    row = (await tx.execute(query)).mappings().one()
    return RefundRow(**{name: row[name] for name in _REFUND_FIELDS})


async def note_refund_sent(tx: AsyncConnection, refund_id: str, now: datetime) -> None:
    """Note when a refund was first asked for."""
    first = sa.func.coalesce(REFUND.c.sent_at, now)
    await tx.execute(sa.update(REFUND).where(REFUND.c.refund_id == refund_id).values(sent_at=first))


async def save_refund(tx: AsyncConnection, refund_id: str, provider_id: str) -> bool:
    """Store the provider's id of a refund; false when it has another, or there is none such."""
    done = await tx.execute(
        sa.update(REFUND)
        .where(
            REFUND.c.refund_id == refund_id,
            REFUND.c.provider_id.is_(None) | (REFUND.c.provider_id == provider_id),
        )
        .values(
            provider_id=provider_id,
            # A repeat does not make good what failed meanwhile.
            state=sa.case((REFUND.c.state == "FAILED", "FAILED"), else_="CREATED"),
        )
    )
    return bool(done.rowcount)


async def is_ours(connection: AsyncConnection, provider_id: str, refund_id: str | None) -> bool:
    """Tell whether a refund at the provider is one of our rows."""
    ours = sa.exists().where(
        (REFUND.c.provider_id == provider_id) | (REFUND.c.refund_id == (refund_id or ""))
    )
    return bool((await connection.execute(sa.select(ours))).scalar_one())


async def fail_refund(tx: AsyncConnection, provider_id: str) -> None:
    """Note that a refund came back; again changes nothing."""
    mine = REFUND.c.provider_id == provider_id
    await tx.execute(sa.update(REFUND).where(mine).values(state="FAILED"))


def _funding(row: sa.RowMapping) -> Funding:
    values = {name: row[name] for name in _FUNDING_FIELDS}
    return Funding(**{**values, "state": FundingState(row["state"])})
