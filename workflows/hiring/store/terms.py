"""The revisions of a hire's terms."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.hiring.domain import Actor, HireState, HireTerms, Terms, Totals, Verdict
from workflows.hiring.store.tables import HIRE, HIRE_TERMS

# Named apart from the hire's own columns, which they are read beside.
TERMS_COLUMNS = tuple(column.label(f"terms_{column.name}") for column in HIRE_TERMS.c)
_SELECT = sa.select(*TERMS_COLUMNS)


async def insert_terms(tx: AsyncConnection, terms: HireTerms) -> None:
    """Store a revision of a hire whose row this transaction holds."""
    agreed, totals = terms.terms, terms.terms.totals
    await tx.execute(
        sa.insert(HIRE_TERMS).values(
            hire_id=terms.hire_id,
            revision=terms.revision,
            name=agreed.name,
            scope=agreed.scope,
            amount=totals.amount,
            marketplace_fee=totals.marketplace_fee,
            contract_fee=totals.contract_fee,
            currency=totals.currency,
            due_date=agreed.due_date,
            confirm_declined=terms.confirm_declined,
            payment_method_id=terms.payment_method_id,
            requested_by_kind=terms.requested_by.kind,
            requested_by_id=terms.requested_by.id,
            requested_at=terms.requested_at,
            fingerprint=terms.fingerprint,
            verdict=terms.verdict.value,
            refused_reason=terms.refused_reason,
        )
    )


async def find_terms(connection: AsyncConnection, hire_id: str, revision: int) -> HireTerms | None:
    """Load one revision."""
    query = _SELECT.where(HIRE_TERMS.c.hire_id == hire_id, HIRE_TERMS.c.revision == revision)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else terms_from(row)


async def latest_terms(tx: AsyncConnection, hire_id: str) -> HireTerms:
    """Load the newest revision that was not refused; the first never is."""
    query = (
        _SELECT.where(
            HIRE_TERMS.c.hire_id == hire_id, HIRE_TERMS.c.verdict != Verdict.REFUSED.value
        )
        .order_by(HIRE_TERMS.c.revision.desc())
        .limit(1)
    )
    return terms_from((await tx.execute(query)).mappings().one())


async def next_revision(tx: AsyncConnection, hire_id: str) -> int:
    """Give the next revision its number, of a hire whose row this transaction holds."""
    query = sa.select(sa.func.max(HIRE_TERMS.c.revision)).where(HIRE_TERMS.c.hire_id == hire_id)
    last: int = (await tx.execute(query)).scalar_one()
    return last + 1


async def accept_terms(tx: AsyncConnection, hire_id: str, revision: int) -> None:
    """Accept a revision; offers before it that nobody decided are overtaken for good."""
    undecided = (HIRE_TERMS.c.hire_id == hire_id) & (HIRE_TERMS.c.verdict == Verdict.OFFERED.value)
    await tx.execute(
        sa.update(HIRE_TERMS)
        .where(undecided, HIRE_TERMS.c.revision == revision)
        .values(verdict=Verdict.ACCEPTED.value)
    )
    await tx.execute(
        sa.update(HIRE_TERMS)
        .where(undecided, HIRE_TERMS.c.revision < revision)
        .values(verdict=Verdict.REFUSED.value, refused_reason="CONFLICT")
    )


async def refuse_terms(tx: AsyncConnection, hire_id: str, revision: int, reason: str) -> bool:
    """Refuse an offered revision; false when it was decided before."""
    done = await tx.execute(
        sa.update(HIRE_TERMS)
        .where(
            HIRE_TERMS.c.hire_id == hire_id,
            HIRE_TERMS.c.revision == revision,
            HIRE_TERMS.c.verdict == Verdict.OFFERED.value,
        )
        .values(verdict=Verdict.REFUSED.value, refused_reason=reason)
    )
    return bool(done.rowcount)


async def method_in_use(tx: AsyncConnection, organisation_id: str, method_id: str) -> bool:
    """Tell whether a running unpaid hire of the organisation names a payment method."""
    query = (
        sa.exists()
        .where(
            HIRE_TERMS.c.payment_method_id == method_id,
            # Written out, for a plan with parameters matches no partial index.
            sa.text("hiring.hire_terms.verdict <> 'REFUSED'"),
            HIRE_TERMS.c.revision >= HIRE.c.revision,
            HIRE.c.hire_id == HIRE_TERMS.c.hire_id,
            HIRE.c.organisation_id == organisation_id,
            HIRE.c.state == HireState.RUNNING.value,
            HIRE.c.charge_id.is_(None),
        )
        .correlate(None)
    )
    return bool((await tx.execute(sa.select(query))).scalar_one())


def terms_from(row: sa.RowMapping) -> HireTerms:
    """Make terms of a row that was read by `TERMS_COLUMNS`."""
    of = {column.name: row[f"terms_{column.name}"] for column in HIRE_TERMS.c}
    totals = Totals(of["amount"], of["marketplace_fee"], of["contract_fee"], of["currency"])
    return HireTerms(
        hire_id=of["hire_id"],
        revision=of["revision"],
        terms=Terms(of["name"], of["scope"], totals, of["due_date"]),
        confirm_declined=of["confirm_declined"],
        payment_method_id=of["payment_method_id"],
        requested_by=Actor(of["requested_by_kind"], of["requested_by_id"]),
        requested_at=of["requested_at"],
        fingerprint=of["fingerprint"],
        verdict=Verdict(of["verdict"]),
        refused_reason=of["refused_reason"],
    )
