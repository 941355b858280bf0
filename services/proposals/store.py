"""The tables of proposals and every query on them."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Key, Page, beyond
from services.proposals.domain import (
    Candidate,
    Job,
    Match,
    Offer,
    Order,
    Profile,
    Proposal,
    RateUnit,
    Reservation,
    ReservationState,
    ReviewState,
)

METADATA = sa.MetaData(schema="proposals")

JOB = sa.Table(
    "job",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("required_languages", ARRAY(sa.Text), nullable=False),
    sa.Column("required_skills", ARRAY(sa.Text), nullable=False),
    sa.Column("required_countries", ARRAY(sa.Text), nullable=False),
)

PROFILE = sa.Table(
    "profile",
    METADATA,
    sa.Column("trainer_id", sa.Text, primary_key=True),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("languages", ARRAY(sa.Text), nullable=False),
    sa.Column("skills", ARRAY(sa.Text), nullable=False),
    sa.Column("resume_reference", sa.Text, nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
)

_LIVE = sa.text("NOT withdrawn")
PROPOSAL = sa.Table(
    "proposal",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("rate", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("rate_unit", sa.Text, nullable=False),
    sa.Column("match_score", sa.Integer, nullable=False),
    sa.Column("match_met", ARRAY(sa.Text), nullable=False),
    sa.Column("match_missing", ARRAY(sa.Text), nullable=False),
    sa.Column("review_state", sa.Text, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("hire_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index(
        "proposal_one_live_per_trainer", "job_id", "trainer_id", unique=True, postgresql_where=_LIVE
    ),
    sa.Index("proposal_newest", "job_id", "create_time", "proposal_id", postgresql_where=_LIVE),
    sa.Index("proposal_match", "job_id", "match_score", "proposal_id", postgresql_where=_LIVE),
    sa.Index("proposal_rate", "job_id", "rate", "proposal_id", postgresql_where=_LIVE),
    sa.Index("proposal_review", "job_id", "review_state", postgresql_where=_LIVE),
    sa.Index("proposal_by_trainer", "trainer_id", "create_time", "proposal_id"),
)

RESERVATION = sa.Table(
    "reservation",
    METADATA,
    sa.Column("hire_id", sa.Text, primary_key=True),
    sa.Column("proposal_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("contract_id", sa.Text, nullable=False),
    sa.Index(
        "reservation_one_live_per_proposal",
        "proposal_id",
        unique=True,
        postgresql_where=sa.text("state = 'RESERVED'"),
    ),
)


async def keep_job(tx: AsyncConnection, job: Job) -> None:
    """Keep what an event told of a job; later events overwrite earlier ones, in their order."""
    values = {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "state": job.state,
        "visibility": job.visibility,
        "required_languages": list(job.required_languages),
        "required_skills": list(job.required_skills),
        "required_countries": list(job.required_countries),
    }
    kept = insert(JOB).values(values)
    await tx.execute(kept.on_conflict_do_update(index_elements=["job_id"], set_=values))


async def find_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """Read what is known of a job."""
    row = (await connection.execute(sa.select(JOB).where(JOB.c.job_id == job_id))).one_or_none()
    if row is None:
        return None
    return Job(
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        state=row.state,
        visibility=row.visibility,
        required_languages=tuple(row.required_languages),
        required_skills=tuple(row.required_skills),
        required_countries=tuple(row.required_countries),
    )


async def save_profile(tx: AsyncConnection, profile: Profile) -> None:
    """Store a profile, whole."""
    values = {
        "trainer_id": profile.trainer_id,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "country": profile.country,
        "title": profile.title,
        "languages": list(profile.languages),
        "skills": list(profile.skills),
        "resume_reference": profile.resume_reference,
        "update_time": profile.update_time,
    }
    stored = insert(PROFILE).values(values)
    await tx.execute(stored.on_conflict_do_update(index_elements=["trainer_id"], set_=values))


async def find_profile(connection: AsyncConnection, trainer_id: str) -> Profile | None:
    """Read a trainer's profile."""
    query = sa.select(PROFILE).where(PROFILE.c.trainer_id == trainer_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Profile(
        trainer_id=row.trainer_id,
        first_name=row.first_name,
        last_name=row.last_name,
        country=row.country,
        title=row.title,
        languages=tuple(row.languages),
        skills=tuple(row.skills),
        resume_reference=row.resume_reference,
        update_time=row.update_time,
    )


async def insert_proposal(tx: AsyncConnection, proposal: Proposal) -> bool:
    """Store a new proposal; False if its trainer has a live one on the job: the key decides."""
    stored = await tx.execute(
        insert(PROPOSAL)
        .values(_values(proposal))
        .on_conflict_do_nothing(index_elements=["job_id", "trainer_id"], index_where=_LIVE)
        .returning(PROPOSAL.c.proposal_id)
    )
    return stored.one_or_none() is not None


async def save_proposal(tx: AsyncConnection, proposal: Proposal) -> None:
    """Store a proposal that this transaction locked and changed."""
    changed = sa.update(PROPOSAL).where(PROPOSAL.c.proposal_id == proposal.proposal_id)
    await tx.execute(changed.values(_values(proposal)))


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


async def find_with_job_state(
    connection: AsyncConnection, proposal_id: str
) -> tuple[Proposal, str] | None:
    """Read one proposal with its job's state, in one round trip."""
    query = (
        sa.select(PROPOSAL, JOB.c.state.label("job_state"))
        .join(JOB, JOB.c.job_id == PROPOSAL.c.job_id)
        .where(PROPOSAL.c.proposal_id == proposal_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (_proposal(row), row.job_state)


async def list_of_job(
    connection: AsyncConnection,
    job_id: str,
    states: Collection[ReviewState],
    order: Order,
    cursor: Cursor,
) -> Page[Proposal]:
    """Read a page of a job's live proposals in one of the orders; no states means all."""
    column = {
        Order.NEWEST: PROPOSAL.c.create_time,
        Order.MATCH: PROPOSAL.c.match_score,
        Order.RATE: PROPOSAL.c.rate,
    }[order]
    falling = order is not Order.RATE
    keys = (column, PROPOSAL.c.proposal_id)
    query = sa.select(PROPOSAL).where(
        PROPOSAL.c.job_id == job_id,
        ~PROPOSAL.c.withdrawn,
        beyond(cursor, *keys, descending=falling),
    )
    if states:
        query = query.where(PROPOSAL.c.review_state.in_(states))
    query = query.order_by(*(key.desc() if falling else key for key in keys)).limit(cursor.limit)
    rows = await connection.execute(query)
    return cursor.page([_proposal(row) for row in rows], key=lambda p: _key(p, order))


def _key(proposal: Proposal, order: Order) -> tuple[Key, ...]:
    leading: dict[Order, Key] = {
        Order.NEWEST: proposal.create_time,
        Order.MATCH: proposal.match.score,
        Order.RATE: proposal.offer.rate,
    }
    return (leading[order], proposal.proposal_id)


async def count_by_state(connection: AsyncConnection, job_id: str) -> Mapping[str, int]:
    """Count a job's live proposals by review state, in one statement and so in one view."""
    query = (
        sa.select(PROPOSAL.c.review_state, sa.func.count().label("count"))
        .where(PROPOSAL.c.job_id == job_id, ~PROPOSAL.c.withdrawn)
        .group_by(PROPOSAL.c.review_state)
    )
    return {row.review_state: row[1] for row in await connection.execute(query)}


async def list_of_trainer(
    connection: AsyncConnection, trainer_id: str, cursor: Cursor
) -> Page[tuple[Proposal, str]]:
    """Read a page of a trainer's proposals with their jobs' states, newest first."""
    keys = (PROPOSAL.c.create_time, PROPOSAL.c.proposal_id)
    query = (
        sa.select(PROPOSAL, JOB.c.state.label("job_state"))
        .join(JOB, JOB.c.job_id == PROPOSAL.c.job_id)
        .where(PROPOSAL.c.trainer_id == trainer_id, beyond(cursor, *keys, descending=True))
        .order_by(*(key.desc() for key in keys))
        .limit(cursor.limit)
    )
    found = [(_proposal(row), str(row.job_state)) for row in await connection.execute(query)]
    return cursor.page(found, key=lambda own: (own[0].create_time, own[0].proposal_id))


async def claim_reservation(tx: AsyncConnection, reservation: Reservation) -> Reservation | None:
    """Store a hire's first word on the proposal, or answer with what the hire said before."""
    first = await tx.execute(
        insert(RESERVATION)
        .values(_reservation_values(reservation))
        .on_conflict_do_nothing(index_elements=["hire_id"])
        .returning(RESERVATION.c.hire_id)
    )
    if first.one_or_none() is not None:
        return None
    return await find_reservation(tx, reservation.hire_id)


async def find_reservation(tx: AsyncConnection, hire_id: str) -> Reservation | None:
    """Read a hire's reservation; the lock on its proposal keeps it as it is."""
    query = sa.select(RESERVATION).where(RESERVATION.c.hire_id == hire_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    state = ReservationState(row.state)
    return Reservation(row.hire_id, row.proposal_id, state, row.contract_id)


async def save_reservation(tx: AsyncConnection, reservation: Reservation) -> None:
    """Store what became of a reservation."""
    changed = sa.update(RESERVATION).where(RESERVATION.c.hire_id == reservation.hire_id)
    await tx.execute(changed.values(_reservation_values(reservation)))


def _reservation_values(reservation: Reservation) -> dict[str, object]:
    return {
        "hire_id": reservation.hire_id,
        "proposal_id": reservation.proposal_id,
        "state": reservation.state,
        "contract_id": reservation.contract_id,
    }


def _values(proposal: Proposal) -> dict[str, object]:
    candidate, offer = proposal.candidate, proposal.offer
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
    )
