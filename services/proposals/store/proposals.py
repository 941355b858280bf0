"""Proposals: one by one, a job's by review state, a trainer's."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Key, Page, beyond
from services.proposals.domain import (
    Candidate,
    Filter,
    Match,
    Offer,
    Order,
    Own,
    Proposal,
    RateUnit,
    ReviewState,
    Signals,
)
from services.proposals.store.tables import JOB, LIVE, PROPOSAL

# In the place of a missing interview score: last in an order that has no NULLs.
NO_SCORE = -1


async def insert_proposal(tx: AsyncConnection, proposal: Proposal) -> bool:
    """Store a new proposal; False if its trainer has a live one on the job: the key decides."""
    stored = await tx.execute(
        insert(PROPOSAL)
        .values(_values(proposal))
        .on_conflict_do_nothing(index_elements=["job_id", "trainer_id"], index_where=LIVE)
        .returning(PROPOSAL.c.proposal_id)
    )
    return stored.one_or_none() is not None


async def save_proposal(tx: AsyncConnection, proposal: Proposal) -> None:
    """Store what changes of a proposal that this transaction locked."""
    await tx.execute(
        sa.update(PROPOSAL)
        .where(PROPOSAL.c.proposal_id == proposal.proposal_id)
        .values(
            review_state=proposal.review_state,
            withdrawn=proposal.withdrawn,
            hire_id=proposal.hire_id,
            version=proposal.version,
            update_time=proposal.update_time,
        )
    )


async def lock_proposal(tx: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Load a proposal and hold its row until the transaction ends."""
    query = sa.select(PROPOSAL).where(PROPOSAL.c.proposal_id == proposal_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _proposal(row)


async def find_proposal(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Read one proposal."""
    query = sa.select(PROPOSAL).where(PROPOSAL.c.proposal_id == proposal_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _proposal(row)


_OWN = sa.select(PROPOSAL, JOB.c.state.label("job_state")).join(
    JOB, JOB.c.job_id == PROPOSAL.c.job_id
)


async def find_own(connection: AsyncConnection, trainer_id: str, proposal_id: str) -> Own | None:
    """Read one of a trainer's proposals."""
    query = _OWN.where(PROPOSAL.c.proposal_id == proposal_id, PROPOSAL.c.trainer_id == trainer_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Own(_proposal(row), row.job_state)


async def list_own(connection: AsyncConnection, trainer_id: str, cursor: Cursor) -> Page[Own]:
    """Read a page of a trainer's proposals, withdrawn ones too, newest first."""
    columns = PROPOSAL.c.create_time, PROPOSAL.c.proposal_id
    query = (
        _OWN.where(PROPOSAL.c.trainer_id == trainer_id, beyond(cursor, *columns, descending=True))
        .order_by(*(column.desc() for column in columns))
        .limit(cursor.limit)
    )
    found = [Own(_proposal(row), row.job_state) for row in await connection.execute(query)]
    return cursor.page(found, key=lambda own: (own.proposal.create_time, own.proposal.proposal_id))


async def list_of_job(
    connection: AsyncConnection, job_id: str, wanted: Filter, order: Order, cursor: Cursor
) -> Page[Proposal]:
    """Read a page of a job's live proposals: one bounded index scan per review state, merged.

    With conditions beyond the states, the page is what meets them of the next `_LOOK` proposals in
    the list's order: it may be short, even empty, and still not the last. No index could carry
    every set of conditions in every order; so a page costs the same however rare its rows are.
    """
    leading, descending = _ORDERS[order]
    keys = leading, PROPOSAL.c.proposal_id
    conditions = _conditions(wanted)
    reach = _LOOK if conditions else cursor.limit
    scans = (
        sa.select(*keys)
        .where(
            PROPOSAL.c.job_id == job_id,
            PROPOSAL.c.review_state == state,
            LIVE,
            beyond(cursor, *keys, descending=descending),
        )
        .order_by(*_directed(keys, descending=descending))
        .limit(reach)
        for state in sorted(wanted.states or ReviewState)
    )
    merged = sa.union_all(*scans).subquery("merged")
    ordered = sa.select(merged).order_by(*_directed(merged.c, descending=descending))
    found = ordered.limit(reach).subquery("found")
    query = (
        sa.select(PROPOSAL)
        .join(found, found.c.proposal_id == PROPOSAL.c.proposal_id)
        .where(*conditions)
        .order_by(*_directed(found.c, descending=descending))
        .limit(cursor.limit)
    )
    proposals = [_proposal(row) for row in await connection.execute(query)]
    page = cursor.page(proposals, key=lambda proposal: _key(proposal, order))
    if page.next_token or not conditions:
        return page
    last = (await connection.execute(ordered.offset(reach - 1).limit(1))).one_or_none()
    return page if last is None else Page(page.items, cursor.token(tuple(last)))


# How many proposals a page with conditions looks at: some milliseconds.
_LOOK = 1000


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.minimum_score:
        conditions.append(PROPOSAL.c.interview_score >= wanted.minimum_score)
    if wanted.country:
        conditions.append(PROPOSAL.c.country == wanted.country)
    if wanted.rate is not None:
        conditions += [
            PROPOSAL.c.rate_unit == wanted.rate.unit,
            PROPOSAL.c.rate >= wanted.rate.lowest,
        ]
        if wanted.rate.highest is not None:
            conditions.append(PROPOSAL.c.rate <= wanted.rate.highest)
    if wanted.text:
        columns = (PROPOSAL.c.display_name, PROPOSAL.c.title, PROPOSAL.c.summary)
        texts = (*columns, PROPOSAL.c.message)
        conditions.append(sa.or_(*(each.icontains(wanted.text, autoescape=True) for each in texts)))
    return conditions


async def count_by_state(connection: AsyncConnection, job_id: str) -> Mapping[ReviewState, int]:
    """Count a job's live proposals by review state, in one statement and so in one view."""
    query = (
        sa.select(PROPOSAL.c.review_state, sa.func.count().label("proposals"))
        .where(PROPOSAL.c.job_id == job_id, LIVE)
        .group_by(PROPOSAL.c.review_state)
    )
    rows = await connection.execute(query)
    return {ReviewState(row.review_state): row.proposals for row in rows}


_ORDERS: dict[Order, tuple[sa.Column[Any], bool]] = {
    Order.NEWEST: (PROPOSAL.c.create_time, True),
    Order.MATCH: (PROPOSAL.c.match_score, True),
    Order.RATE: (PROPOSAL.c.rate, False),
    Order.INTERVIEW: (PROPOSAL.c.interview_score, True),
}


def _directed(
    columns: Iterable[sa.ColumnElement[Any]], *, descending: bool
) -> list[sa.ColumnElement[Any]]:
    return [column.desc() if descending else column.asc() for column in columns]


def _key(proposal: Proposal, order: Order) -> tuple[Key, ...]:
    leading: dict[Order, Key] = {
        Order.NEWEST: proposal.create_time,
        Order.MATCH: proposal.match.score,
        Order.RATE: proposal.offer.rate,
        Order.INTERVIEW: _score(proposal.signals),
    }
    return (leading[order], proposal.proposal_id)


def _values(proposal: Proposal) -> dict[str, object]:
    candidate, offer, signals = proposal.candidate, proposal.offer, proposal.signals
    return {
        "proposal_id": proposal.proposal_id,
        "job_id": proposal.job_id,
        "organisation_id": proposal.organisation_id,
        "trainer_id": candidate.trainer_id,
        "display_name": candidate.display_name,
        "country": candidate.country,
        "title": candidate.title,
        "message": offer.message,
        "summary": offer.summary,
        "rate": offer.rate,
        "currency": offer.currency,
        "rate_unit": offer.rate_unit,
        "match_score": proposal.match.score,
        "match_met": list(proposal.match.met),
        "match_missing": list(proposal.match.missing),
        "review_state": proposal.review_state,
        "withdrawn": proposal.withdrawn,
        "hire_id": proposal.hire_id,
        "version": proposal.version,
        "create_time": proposal.create_time,
        "update_time": proposal.update_time,
        "screening_id": signals.screening_id or None,
        "interview_score": _score(signals),
        "mismatch_signals": list(signals.mismatches),
        "has_resume": signals.has_resume,
    }


def _proposal(row: sa.Row[tuple[object, ...]]) -> Proposal:
    return Proposal(
        proposal_id=row.proposal_id,
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        candidate=Candidate(row.trainer_id, row.display_name, row.country, row.title),
        offer=Offer(row.message, row.summary, row.rate, row.currency, RateUnit(row.rate_unit)),
        match=Match(row.match_score, tuple(row.match_met), tuple(row.match_missing)),
        review_state=ReviewState(row.review_state),
        withdrawn=row.withdrawn,
        hire_id=row.hire_id,
        version=row.version,
        create_time=row.create_time,
        update_time=row.update_time,
        signals=Signals(
            has_resume=row.has_resume,
            screening_id=row.screening_id or "",
            interview_score=None if row.interview_score == NO_SCORE else row.interview_score,
            mismatches=tuple(row.mismatch_signals),
        ),
    )


def _score(signals: Signals) -> int:
    return NO_SCORE if signals.interview_score is None else signals.interview_score
