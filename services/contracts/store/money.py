"""Charges, each booked once, and the ledger, which only grows."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.contracts.domain import (
    Account,
    Charge,
    Dispute,
    DisputeState,
    EntryKind,
    LedgerEntry,
    Movement,
    RecordedCharge,
)
from services.contracts.store.tables import CHARGE, DISPUTE, LEDGER_ENTRY


async def record_charge(tx: AsyncConnection, recorded: RecordedCharge, now: datetime) -> bool:
    """Store what a charge is booked as; False where its charge, funding or refund was before.

    The unique keys decide; a rival transaction is waited for.
    """
    if recorded.refund_id and await find_entry(tx, EntryKind.REFUND, recorded.refund_id):
        return False
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
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else read_charge(row)


async def append_entry(
    tx: AsyncConnection,
    recorded: RecordedCharge,
    external_id: str,
    movement: Movement,
    now: datetime,
) -> None:
    """Book a movement of a charge at the end of its contract's ledger; see `append`."""
    contract_id, milestone_id = recorded.contract_id, recorded.milestone_id
    currency = recorded.charge.currency
    await append(
        tx,
        external_id,
        movement,
        now,
        contract_id=contract_id,
        milestone_id=milestone_id,
        currency=currency,
    )


async def append(
    tx: AsyncConnection,
    external_id: str,
    movement: Movement,
    now: datetime,
    *,
    contract_id: str,
    milestone_id: str,
    currency: str,
) -> None:
    """Book a movement at the end of a contract's ledger; the contract's lock orders them."""
    of_contract = LEDGER_ENTRY.c.contract_id == contract_id
    last = sa.select(sa.func.max(LEDGER_ENTRY.c.sequence)).where(of_contract).scalar_subquery()
    await tx.execute(
        sa.insert(LEDGER_ENTRY).values(
            contract_id=contract_id,
            sequence=sa.func.coalesce(last, 0) + 1,
            kind=movement.kind,
            milestone_id=milestone_id,
            external_id=external_id,
            currency=currency,
            book_time=now,
            **{account.lower(): movement.postings.get(account, 0) for account in Account},
        )
    )


async def find_entry(
    connection: AsyncConnection, kind: EntryKind, external_id: str
) -> LedgerEntry | None:
    """Read the one entry of this kind that an object at Stripe caused."""
    query = sa.select(LEDGER_ENTRY).where(
        LEDGER_ENTRY.c.kind == kind, LEDGER_ENTRY.c.external_id == external_id
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _entry(row)


async def movements_of(tx: AsyncConnection, recorded: RecordedCharge) -> Sequence[Movement]:
    """Read what was booked for a charge's milestone, whose contract this transaction holds."""
    query = sa.select(LEDGER_ENTRY).where(
        LEDGER_ENTRY.c.contract_id == recorded.contract_id,
        LEDGER_ENTRY.c.milestone_id == recorded.milestone_id,
    )
    return [_entry(row).movement for row in (await tx.execute(query)).mappings()]


async def open_dispute(
    tx: AsyncConnection, contract_id: str, dispute: Dispute, now: datetime
) -> bool:
    """Store a dispute that was opened; False if it was before."""
    statement = insert(DISPUTE).values(
        **asdict(dispute.opened), contract_id=contract_id, open_time=now
    )
    done = await tx.execute(statement.on_conflict_do_nothing(index_elements=[DISPUTE.c.dispute_id]))
    return bool(done.rowcount)


async def find_dispute(connection: AsyncConnection, dispute_id: str) -> Dispute:
    """Read a dispute that was opened."""
    query = sa.select(DISPUTE).where(DISPUTE.c.dispute_id == dispute_id)
    return read_dispute((await connection.execute(query)).mappings().one())


async def dispute_states(
    tx: AsyncConnection, contract_id: str, charge_id: str
) -> Sequence[DisputeState]:
    """Read how the disputes of a charge stand, whose contract this transaction holds."""
    query = sa.select(DISPUTE.c.state).where(
        DISPUTE.c.contract_id == contract_id, DISPUTE.c.charge_id == charge_id
    )
    return [DisputeState(state) for state in (await tx.execute(query)).scalars()]


async def close_dispute(tx: AsyncConnection, dispute: Dispute, now: datetime) -> None:
    """Store how a dispute was decided; its contract's lock orders the words on it."""
    await tx.execute(
        sa.update(DISPUTE)
        .where(DISPUTE.c.dispute_id == dispute.dispute_id)
        .values(state=dispute.state, close_time=now)
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


def read_charge(row: sa.RowMapping) -> RecordedCharge:
    """Read a charge from its row."""
    return RecordedCharge(
        charge=Charge(
            charge_id=row["charge_id"],
            payment_intent_id=row["payment_intent_id"],
            funding_id=row["funding_id"],
            amount=row["amount"],
            currency=row["currency"],
        ),
        contract_id=row["contract_id"],
        milestone_id=row["milestone_id"],
        refund_id=row["refund_id"] or "",
    )


def read_dispute(row: sa.RowMapping) -> Dispute:
    """Read a dispute from its row."""
    return Dispute(
        dispute_id=row["dispute_id"],
        charge_id=row["charge_id"],
        amount=row["amount"],
        currency=row["currency"],
        state=DisputeState(row["state"]),
    )


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
