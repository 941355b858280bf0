"""The papers and their numbers."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.contracts.domain import Invoice, InvoiceKind, InvoiceLine
from services.contracts.store.tables import INVOICE, INVOICE_COUNTER


async def take_number(tx: AsyncConnection, organisation_id: str) -> int:
    """Take the organisation's next number; it is given back if the transaction rolls back.

    Whoever else needs a number in this organisation waits for this transaction's end, so take it
    late.
    """
    first = insert(INVOICE_COUNTER).values(organisation_id=organisation_id, last_number=1)
    taken = first.on_conflict_do_update(
        index_elements=["organisation_id"],
        set_={"last_number": INVOICE_COUNTER.c.last_number + 1},
    ).returning(INVOICE_COUNTER.c.last_number)
    number: int = (await tx.execute(taken)).scalar_one()
    return number


async def insert_invoice(tx: AsyncConnection, invoice: Invoice) -> None:
    """Store a paper, for ever as it is."""
    await tx.execute(
        sa.insert(INVOICE).values(
            invoice_id=invoice.invoice_id,
            organisation_id=invoice.organisation_id,
            number=invoice.number,
            kind=invoice.kind,
            contract_id=invoice.contract_id,
            milestone_id=invoice.milestone_id,
            lines=[
                {"description": line.description, "amount": line.amount} for line in invoice.lines
            ],
            currency=invoice.currency,
            note=invoice.note,
            issue_time=invoice.issue_time,
        )
    )


async def find_invoice(connection: AsyncConnection, invoice_id: str) -> Invoice | None:
    """Read one paper."""
    query = sa.select(INVOICE).where(INVOICE.c.invoice_id == invoice_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _invoice(row)


async def funding_invoice(connection: AsyncConnection, milestone_id: str) -> Invoice:
    """Read the invoice of a funded milestone; there is exactly one."""
    query = sa.select(INVOICE).where(
        INVOICE.c.milestone_id == milestone_id, INVOICE.c.kind == InvoiceKind.FUNDING
    )
    return _invoice((await connection.execute(query)).mappings().one())


async def credit_note(connection: AsyncConnection, milestone_id: str) -> Invoice:
    """Read the credit note of a milestone whose refund ended its contract; there is one."""
    query = sa.select(INVOICE).where(
        INVOICE.c.milestone_id == milestone_id, INVOICE.c.kind == InvoiceKind.CREDIT_NOTE
    )
    return _invoice((await connection.execute(query)).mappings().one())


async def list_invoices(
    connection: AsyncConnection,
    contract_id: str,
    kinds: Collection[InvoiceKind],
    cursor: Cursor,
) -> Page[Invoice]:
    """Read a page of a contract's papers of these kinds, in the order of their numbers."""
    query = (
        sa.select(INVOICE)
        .where(
            INVOICE.c.contract_id == contract_id,
            INVOICE.c.kind.in_(kinds),
            beyond(cursor, INVOICE.c.number),
        )
        .order_by(INVOICE.c.number)
        .limit(cursor.limit)
    )
    invoices = [_invoice(row) for row in (await connection.execute(query)).mappings()]
    return cursor.page(invoices, key=lambda invoice: (invoice.number,))


def _invoice(row: sa.RowMapping) -> Invoice:
    return Invoice(
        invoice_id=row["invoice_id"],
        organisation_id=row["organisation_id"],
        number=row["number"],
        kind=InvoiceKind(row["kind"]),
        contract_id=row["contract_id"],
        milestone_id=row["milestone_id"],
        lines=tuple(InvoiceLine(line["description"], line["amount"]) for line in row["lines"]),
        currency=row["currency"],
        note=row["note"],
        issue_time=row["issue_time"],
    )
