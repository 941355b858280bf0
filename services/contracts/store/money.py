"""Charges, each booked once, and the ledger, which only grows."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.contracts.domain import (
    Account,
    Charge,
    EntryKind,
    LedgerEntry,
    Movement,
    RecordedCharge,
)
from services.contracts.store.tables import CHARGE, LEDGER_ENTRY


async def record_charge(tx: AsyncConnection, recorded: RecordedCharge, now: datetime) -> bool:
    """Store what a charge is booked as; False where its charge, funding or refund was before.

    The unique keys decide; a rival transaction is waited for.
    """
    charge = recorded.charge
    statement = insert(CHARGE).values(
        charge_id=charge.charge_id,
        payment_intent_id=charge.payment_intent_id,
        funding_id=charge.funding_id,
        contract_id=recorded.contract_id,
        milestone_id=recorded.milestone_id,
        amount=charge.amount,
        currency=charge.currency,
        refund_id=recorded.refund_id or None,
        record_time=now,
    )
    return bool((await tx.execute(statement.on_conflict_do_nothing())).rowcount)


async def find_charge(connection: AsyncConnection, charge_id: str) -> RecordedCharge | None:
    """Read what a charge was booked as."""
    query = sa.select(CHARGE).where(CHARGE.c.charge_id == charge_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return RecordedCharge(
        charge=Charge(
            charge_id=row.charge_id,
            payment_intent_id=row.payment_intent_id,
            funding_id=row.funding_id,
            amount=row.amount,
            currency=row.currency,
        ),
        contract_id=row.contract_id,
        milestone_id=row.milestone_id,
        refund_id=row.refund_id or "",
    )


async def is_refunded(connection: AsyncConnection, refund_id: str) -> bool:
    """Tell whether a refund is booked."""
    booked = sa.exists().where(
        LEDGER_ENTRY.c.kind == EntryKind.REFUND, LEDGER_ENTRY.c.external_id == refund_id
    )
    return bool((await connection.execute(sa.select(booked))).scalar_one())


async def append_entry(
    tx: AsyncConnection,
    recorded: RecordedCharge,
    external_id: str,
    movement: Movement,
    now: datetime,
) -> None:
    """Book a movement at the end of its contract's ledger; the contract's lock orders them."""
    of_contract = LEDGER_ENTRY.c.contract_id == recorded.contract_id
    last = sa.select(sa.func.max(LEDGER_ENTRY.c.sequence)).where(of_contract).scalar_subquery()
    await tx.execute(
        sa.insert(LEDGER_ENTRY).values(
            contract_id=recorded.contract_id,
            sequence=sa.func.coalesce(last, 0) + 1,
            kind=movement.kind,
            milestone_id=recorded.milestone_id,
            external_id=external_id,
            currency=recorded.charge.currency,
            book_time=now,
            **{account.lower(): movement.postings.get(account, 0) for account in Account},
        )
    )


async def list_entries(
    connection: AsyncConnection, contract_id: str, cursor: Cursor
) -> Page[LedgerEntry]:
    """Read a page of a contract's ledger, oldest first."""
    query = (
        sa.select(LEDGER_ENTRY)
        .where(LEDGER_ENTRY.c.contract_id == contract_id, beyond(cursor, LEDGER_ENTRY.c.sequence))
        .order_by(LEDGER_ENTRY.c.sequence)
        .limit(cursor.limit)
    )
    entries = [_entry(row) for row in (await connection.execute(query)).mappings()]
    return cursor.page(entries, key=lambda entry: (entry.sequence,))


def _entry(row: sa.RowMapping) -> LedgerEntry:
    postings = {account: row[account.lower()] for account in Account}
    return LedgerEntry(
        contract_id=row["contract_id"],
        sequence=row["sequence"],
        milestone_id=row["milestone_id"],
        external_id=row["external_id"],
        movement=Movement.of(EntryKind(row["kind"]), postings),
        currency=row["currency"],
        book_time=row["book_time"],
    )
