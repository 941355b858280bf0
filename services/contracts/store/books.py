"""Contracts with all that was booked for them, as it is stored."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.contracts.domain import Account, EntryKind
from services.contracts.domain.audit import Books, StoredEntry
from services.contracts.store.contracts import find_contract
from services.contracts.store.money import read_charge, read_dispute
from services.contracts.store.tables import CHARGE, CONTRACT, DISPUTE, LEDGER_ENTRY


async def list_books(
    connection: AsyncConnection, cursor: Cursor, *, contract_id: str, organisation_id: str
) -> Page[Books]:
    """Read a page of books in the order of the contracts' ids; empty ids mean all.

    In a transaction of one snapshot: what is booked meanwhile must not look half booked.
    """
    query = books_query(cursor, contract_id=contract_id, organisation_id=organisation_id)
    found = await connection.execute(query)
    page = cursor.page(found.scalars().all(), key=lambda each: (each,))
    entries = await _of(connection, LEDGER_ENTRY, page.items, LEDGER_ENTRY.c.sequence)
    charges = await _of(connection, CHARGE, page.items, CHARGE.c.charge_id)
    disputes = await _of(connection, DISPUTE, page.items, DISPUTE.c.dispute_id)
    books = []
    for each in page.items:
        contract = await find_contract(connection, each)
        if contract is not None:
            books.append(
                Books(
                    contract,
                    [_entry(row) for row in entries[each]],
                    [read_charge(row) for row in charges[each]],
                    [read_dispute(row) for row in disputes[each]],
                )
            )
    return Page(tuple(books), page.next_token)


def books_query(cursor: Cursor, *, contract_id: str, organisation_id: str) -> sa.Select[Any]:
    """Select the ids of a page of contracts, in their order; empty ids mean all."""
    query = sa.select(CONTRACT.c.contract_id).where(beyond(cursor, CONTRACT.c.contract_id))
    if contract_id:
        query = query.where(CONTRACT.c.contract_id == contract_id)
    if organisation_id:
        query = query.where(CONTRACT.c.organisation_id == organisation_id)
    return query.order_by(CONTRACT.c.contract_id).limit(cursor.limit)


async def _of(
    connection: AsyncConnection,
    table: sa.Table,
    contract_ids: Sequence[str],
    order: sa.ColumnElement[object],
) -> dict[str, list[sa.RowMapping]]:
    rows: dict[str, list[sa.RowMapping]] = defaultdict(list)
    query = sa.select(table).where(table.c.contract_id.in_(contract_ids)).order_by(order)
    for row in (await connection.execute(query)).mappings():
        rows[row["contract_id"]].append(row)
    return rows


def _entry(row: sa.RowMapping) -> StoredEntry:
    return StoredEntry(
        sequence=row["sequence"],
        kind=EntryKind(row["kind"]),
        milestone_id=row["milestone_id"],
        external_id=row["external_id"],
        currency=row["currency"],
        postings={account: row[account.lower()] for account in Account},
    )
