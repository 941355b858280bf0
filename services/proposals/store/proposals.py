"""Proposals: one by one, and a trainer's."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.proposals.domain import (
    Candidate,
    Match,
    Offer,
    Own,
    Proposal,
    RateUnit,
    ReviewState,
    Signals,
)
from services.proposals.store.tables import JOB, LIVE, PROPOSAL

# In the place of a missing interview score: last in an order that has no NULLs.
NO_SCORE = -1
# What a proposal is made of; `written` repeats most of it.
WHOLE = [column for column in PROPOSAL.c if column is not PROPOSAL.c.written]

_ONE = sa.select(*WHOLE).where(PROPOSAL.c.proposal_id == sa.bindparam("of_proposal"))
_ONE_LOCKED = _ONE.with_for_update()


async def insert_proposal(tx: AsyncConnection, proposal: Proposal, written: bytes) -> bool:
    """Store a new proposal; False if its trainer has a live one on the job: the key decides."""
    stored = await tx.execute(
        insert(PROPOSAL)
        .values(row_of(proposal, written))
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


async def lock_proposals(
    tx: AsyncConnection, proposal_ids: Collection[str]
) -> Mapping[str, Proposal]:
    """Load proposals and hold their rows, in one order for all who do so."""
    query = (
        sa.select(*WHOLE)
        .where(PROPOSAL.c.proposal_id.in_(proposal_ids))
        .order_by(PROPOSAL.c.proposal_id)
        .with_for_update()
    )
    return {row.proposal_id: proposal_of(row) for row in await tx.execute(query)}


async def lock_proposal(tx: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Load a proposal and hold its row until the transaction ends."""
    row = (await tx.execute(_ONE_LOCKED, {"of_proposal": proposal_id})).one_or_none()
    return None if row is None else proposal_of(row)


async def find_proposal(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    """Read one proposal."""
    row = (await connection.execute(_ONE, {"of_proposal": proposal_id})).one_or_none()
    return None if row is None else proposal_of(row)


async def find_proposals(
    connection: AsyncConnection, proposal_ids: Collection[str]
) -> Mapping[str, Proposal]:
    """Read proposals by their ids."""
    query = sa.select(*WHOLE).where(PROPOSAL.c.proposal_id.in_(proposal_ids))
    return {row.proposal_id: proposal_of(row) for row in await connection.execute(query)}


_OWN = sa.select(*WHOLE, JOB.c.state.label("job_state")).join(
    JOB, JOB.c.job_id == PROPOSAL.c.job_id
)


async def find_own(connection: AsyncConnection, trainer_id: str, proposal_id: str) -> Own | None:
    """Read one of a trainer's proposals."""
    query = _OWN.where(PROPOSAL.c.proposal_id == proposal_id, PROPOSAL.c.trainer_id == trainer_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Own(proposal_of(row), row.job_state)


async def list_own(connection: AsyncConnection, trainer_id: str, cursor: Cursor) -> Page[Own]:
    """Read a page of a trainer's proposals, withdrawn ones too, newest first."""
    columns = PROPOSAL.c.create_time, PROPOSAL.c.proposal_id
    query = (
        _OWN.where(PROPOSAL.c.trainer_id == trainer_id, beyond(cursor, *columns, descending=True))
        .order_by(*(column.desc() for column in columns))
        .limit(cursor.limit)
    )
    found = [Own(proposal_of(row), row.job_state) for row in await connection.execute(query)]
    return cursor.page(found, key=lambda own: (own.proposal.create_time, own.proposal.proposal_id))


def row_of(proposal: Proposal, written: bytes) -> dict[str, object]:
    """Make the row that holds a proposal, and what was written of it."""
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
        "interview_score": score_of(signals),
        "mismatch_signals": list(signals.mismatches),
        "has_resume": signals.has_resume,
        "written": written,
    }


def proposal_of(row: sa.Row[*tuple[Any, ...]]) -> Proposal:
    """Make the proposal that a row holds."""
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


def score_of(signals: Signals) -> int:
    """Give the value by which a proposal is ordered by its interview."""
    return NO_SCORE if signals.interview_score is None else signals.interview_score
