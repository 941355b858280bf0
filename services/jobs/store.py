"""The tables of jobs and every query on them."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.jobs.domain import (
    Job,
    Pay,
    PayKind,
    Posting,
    Reservation,
    ReservationState,
    Settings,
    State,
    Visibility,
)

METADATA = sa.MetaData(schema="jobs")

JOB = sa.Table(
    "job",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("required_languages", ARRAY(sa.Text), nullable=False),
    sa.Column("required_skills", ARRAY(sa.Text), nullable=False),
    sa.Column("required_countries", ARRAY(sa.Text), nullable=False),
    sa.Column("pay_kind", sa.Text),
    sa.Column("pay_minimum", sa.BigInteger, nullable=False),
    sa.Column("pay_maximum", sa.BigInteger, nullable=False),
    sa.Column("pay_currency", sa.Text, nullable=False),
    sa.Column("positions", sa.Integer, nullable=False),
    sa.Column("filled", sa.Integer, nullable=False),
    sa.Column("reserved", sa.Integer, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("finish_when_filled", sa.Boolean, nullable=False),
    sa.Column("add_hires_to_channels", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("publish_time", sa.TIMESTAMP(timezone=True)),
    sa.Index("job_by_organisation", "organisation_id", "state", "create_time", "job_id"),
)

RESERVATION = sa.Table(
    "position_reservation",
    METADATA,
    sa.Column("hire_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job.job_id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("contract_id", sa.Text, unique=True),
    sa.Column("finished_hiring", sa.Boolean, nullable=False),
)

# A row per live proposal, so that an event which is told twice counts once, and the count beside
# it, so that reading a job costs the same at ten proposals and at a million. Neither refers to
# jobs.job: they are what another service told, and its word may not fail on a key of ours.
LIVE_PROPOSAL = sa.Table(
    "live_proposal",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
)

PROPOSAL_COUNT = sa.Table(
    "proposal_count",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("live", sa.BigInteger, nullable=False),
)

_LIVE = sa.func.coalesce(PROPOSAL_COUNT.c.live, 0).label("proposals")
_JOB_WITH_COUNT = sa.select(JOB, _LIVE).outerjoin(
    PROPOSAL_COUNT, PROPOSAL_COUNT.c.job_id == JOB.c.job_id
)


async def insert_job(tx: AsyncConnection, job: Job) -> None:
    """Store a new job."""
    await tx.execute(sa.insert(JOB).values(_values(job)))


async def save_job(tx: AsyncConnection, job: Job) -> None:
    """Store a job that this transaction locked and changed."""
    await tx.execute(sa.update(JOB).where(JOB.c.job_id == job.job_id).values(_values(job)))


async def lock_job(
    tx: AsyncConnection, job_id: str, *, organisation_id: str | None = None
) -> Job | None:
    """Load a job and hold its row until the transaction ends.

    With an organisation, another's job is neither found nor held.
    """
    query = _JOB_WITH_COUNT.where(JOB.c.job_id == job_id).with_for_update(of=JOB)
    if organisation_id is not None:
        query = query.where(JOB.c.organisation_id == organisation_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _job(row)


async def find_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """Read one job."""
    query = _JOB_WITH_COUNT.where(JOB.c.job_id == job_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _job(row)


async def list_jobs(
    connection: AsyncConnection, organisation_id: str, states: Collection[State], cursor: Cursor
) -> Page[Job]:
    """Read a page of an organisation's jobs in these states, newest first.

    One bounded index scan per state, merged: however many jobs are in other states, they are not
    walked through.
    """
    behind = beyond(cursor, JOB.c.create_time, JOB.c.job_id, descending=True)
    scans = (
        sa.select(JOB)
        .where(JOB.c.organisation_id == organisation_id, JOB.c.state == state, behind)
        .order_by(JOB.c.create_time.desc(), JOB.c.job_id.desc())
        .limit(cursor.limit)
        for state in sorted(set(states))
    )
    found = sa.union_all(*scans).subquery("found")
    query = (
        sa.select(found, _LIVE)
        .outerjoin(PROPOSAL_COUNT, PROPOSAL_COUNT.c.job_id == found.c.job_id)
        .order_by(found.c.create_time.desc(), found.c.job_id.desc())
        .limit(cursor.limit)
    )
    jobs = [_job(row) for row in await connection.execute(query)]
    return cursor.page(jobs, key=lambda job: (job.create_time, job.job_id))


async def claim_reservation(tx: AsyncConnection, reservation: Reservation) -> Reservation | None:
    """Store a hire's first word on its position, or answer with what the hire said before.

    The unique key on the hire decides, so a release that overtakes its reservation and the
    reservation itself never both believe that they came first.
    """
    statement = insert(RESERVATION).values(_reservation_values(reservation))
    first = await tx.execute(
        statement.on_conflict_do_nothing(index_elements=["hire_id"]).returning(
            RESERVATION.c.hire_id
        )
    )
    if first.one_or_none() is not None:
        return None
    return await find_reservation(tx, reservation.hire_id)


async def find_reservation(tx: AsyncConnection, hire_id: str) -> Reservation | None:
    """Read a hire's reservation; the lock on its job keeps it as it is."""
    query = sa.select(RESERVATION).where(RESERVATION.c.hire_id == hire_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return Reservation(
        hire_id=row.hire_id,
        job_id=row.job_id,
        state=ReservationState(row.state),
        contract_id=row.contract_id or "",
        finished_hiring=row.finished_hiring,
    )


async def release_reservation(tx: AsyncConnection, released: Reservation) -> None:
    """Note that a hire gave its position back."""
    await tx.execute(
        sa.update(RESERVATION)
        .where(RESERVATION.c.hire_id == released.hire_id)
        .values(_reservation_values(released))
    )


async def fill_reservation(tx: AsyncConnection, reservation: Reservation) -> bool:
    """Store a filled reservation; False, and nothing stored, if its contract fills another.

    Of two hires that fill with one contract at the same instant the unique key stops one.
    """
    other = RESERVATION.alias("other")
    elsewhere = sa.exists().where(other.c.contract_id == reservation.contract_id)
    stored = await tx.execute(
        sa.update(RESERVATION)
        .where(RESERVATION.c.hire_id == reservation.hire_id, ~elsewhere)
        .values(_reservation_values(reservation))
    )
    return stored.rowcount == 1


async def count_proposal(tx: AsyncConnection, job_id: str, proposal_id: str, *, live: bool) -> None:
    """Count a proposal in its job while it is live; a repeat changes nothing."""
    row = LIVE_PROPOSAL.c.proposal_id
    came = insert(LIVE_PROPOSAL).values(proposal_id=proposal_id, job_id=job_id)
    left = sa.delete(LIVE_PROPOSAL).where(row == proposal_id)
    changed = await tx.execute(
        came.on_conflict_do_nothing().returning(row) if live else left.returning(row)
    )
    if changed.one_or_none() is None:
        return
    if live:
        first = insert(PROPOSAL_COUNT).values(job_id=job_id, live=1)
        one_more = {"live": PROPOSAL_COUNT.c.live + 1}
        await tx.execute(first.on_conflict_do_update(index_elements=["job_id"], set_=one_more))
    else:
        count = sa.update(PROPOSAL_COUNT).where(PROPOSAL_COUNT.c.job_id == job_id)
        await tx.execute(count.values(live=PROPOSAL_COUNT.c.live - 1))


def _values(job: Job) -> dict[str, object]:
    posting, pay, settings = job.posting, job.posting.pay, job.posting.settings
    return {
        "job_id": job.job_id,
        "organisation_id": job.organisation_id,
        "state": job.state,
        "title": posting.title,
        "description": posting.description,
        "category": posting.category,
        "required_languages": list(posting.required_languages),
        "required_skills": list(posting.required_skills),
        "required_countries": list(posting.required_countries),
        "pay_kind": pay.kind,
        "pay_minimum": pay.minimum,
        "pay_maximum": pay.maximum,
        "pay_currency": pay.currency,
        "positions": posting.positions,
        "filled": job.filled,
        "reserved": job.reserved,
        "visibility": settings.visibility,
        "finish_when_filled": settings.finish_when_filled,
        "add_hires_to_channels": settings.add_hires_to_channels,
        "version": job.version,
        "create_time": job.create_time,
        "update_time": job.update_time,
        "publish_time": job.publish_time,
    }


def _job(row: sa.Row[tuple[object, ...]]) -> Job:
    return Job(
        job_id=row.job_id,
        organisation_id=row.organisation_id,
        posting=Posting(
            title=row.title,
            description=row.description,
            category=row.category,
            required_languages=tuple(row.required_languages),
            required_skills=tuple(row.required_skills),
            required_countries=tuple(row.required_countries),
            pay=Pay(
                kind=None if row.pay_kind is None else PayKind(row.pay_kind),
                minimum=row.pay_minimum,
                maximum=row.pay_maximum,
                currency=row.pay_currency,
            ),
            positions=row.positions,
            settings=Settings(
                visibility=Visibility(row.visibility),
                finish_when_filled=row.finish_when_filled,
                add_hires_to_channels=row.add_hires_to_channels,
            ),
        ),
        state=State(row.state),
        filled=row.filled,
        reserved=row.reserved,
        version=row.version,
        create_time=row.create_time,
        update_time=row.update_time,
        publish_time=row.publish_time,
        proposals=row.proposals,
    )


def _reservation_values(reservation: Reservation) -> dict[str, object]:
    return {
        "hire_id": reservation.hire_id,
        "job_id": reservation.job_id,
        "state": reservation.state,
        "contract_id": reservation.contract_id or None,
        "finished_hiring": reservation.finished_hiring,
    }
