"""Hires and their steps."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from workflows.hiring.domain import (
    Actor,
    Hire,
    HireState,
    HireStep,
    Stage,
    StepRecord,
    ToldHire,
    WaitingFor,
    WaitsOn,
)
from workflows.hiring.store.tables import HIRE, HIRE_STEP, HIRE_TERMS
from workflows.hiring.store.terms import TERMS_COLUMNS, terms_from

# Written out, for a plan with parameters matches no partial index.
_LIVE = sa.text("hiring.hire.state IN ('RUNNING', 'HIRED')")
_LIVE_INDEX = sa.text("state IN ('RUNNING', 'HIRED')")
RUNNING = sa.text("hiring.hire.state = 'RUNNING'")
TOLD = sa.select(HIRE, *TERMS_COLUMNS).join(
    HIRE_TERMS,
    (HIRE_TERMS.c.hire_id == HIRE.c.hire_id) & (HIRE_TERMS.c.revision == HIRE.c.revision),
)
_PLAIN = (
    "hire_id",
    "proposal_id",
    "job_id",
    "organisation_id",
    "trainer_id",
    "customer_id",
    "step",
    "revision",
    "wait_deadline",
    "blocked_reason",
    "end_reason",
    "decline_code",
    "contract_id",
    "milestone_id",
    "funding_id",
    "payment_intent_id",
    "charge_id",
    "thread_id",
    "create_time",
    "update_time",
    "stands_since",
    "end_time",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which hires a list is asked for; an empty string or collection means any."""

    organisation_id: str
    job_id: str
    proposal_id: str
    states: Collection[HireState]


async def insert_hire(tx: AsyncConnection, hire: Hire) -> bool:
    """Store a new hire; false when its proposal has a live one.

    Whoever stores it is expected to start its workflow at once.
    """
    row = {
        **_values(hire),
        "create_time": hire.create_time,
        "start_sent_at": hire.create_time,
        "requested_by_kind": hire.requested_by.kind,
        "requested_by_id": hire.requested_by.id,
    }
    done = await tx.execute(
        insert(HIRE)
        .values(row)
        .on_conflict_do_nothing(index_elements=[HIRE.c.proposal_id], index_where=_LIVE_INDEX)
    )
    return bool(done.rowcount)


async def lock_hire(tx: AsyncConnection, hire_id: str) -> Hire | None:
    """Load a hire and hold its row until the transaction ends."""
    found = await tx.execute(sa.select(HIRE).where(HIRE.c.hire_id == hire_id).with_for_update())
    row = found.mappings().one_or_none()
    return None if row is None else _hire(row)


async def lock_live(tx: AsyncConnection, proposal_id: str) -> Hire | None:
    """Load the running or finished hire of a proposal and hold its row."""
    query = sa.select(HIRE).where(HIRE.c.proposal_id == proposal_id, _LIVE).with_for_update()
    row = (await tx.execute(query)).mappings().one_or_none()
    return None if row is None else _hire(row)


async def newest_create_time(tx: AsyncConnection, proposal_id: str) -> datetime | None:
    """Tell when the newest hire of a proposal started, however it ended."""
    query = sa.select(sa.func.max(HIRE.c.create_time)).where(HIRE.c.proposal_id == proposal_id)
    newest: datetime | None = (await tx.execute(query)).scalar_one()
    return newest


async def save_hire(tx: AsyncConnection, hire: Hire) -> bool:
    """Store what a step made of a running hire; false when the row says that it ended."""
    done = await tx.execute(
        sa.update(HIRE).where(HIRE.c.hire_id == hire.hire_id, RUNNING).values(_values(hire))
    )
    return bool(done.rowcount)


async def insert_step(tx: AsyncConnection, record: StepRecord) -> None:
    """Store a step of a hire whose row this transaction holds."""
    await tx.execute(
        sa.insert(HIRE_STEP).values(
            hire_id=record.hire_id,
            number=record.number,
            stage=record.stage,
            what=record.what,
            waiting_for=record.waiting_for,
            wait_deadline=record.wait_deadline,
            stripe_object_id=record.stripe_object_id,
            reason=record.reason,
            actor_kind=record.actor.kind,
            actor_id=record.actor.id,
            time=record.time,
        )
    )


async def find_told(connection: AsyncConnection, hire_id: str) -> ToldHire | None:
    """Load a hire with the terms of its present revision."""
    found = await connection.execute(TOLD.where(HIRE.c.hire_id == hire_id))
    row = found.mappings().one_or_none()
    return None if row is None else told_from(row)


async def list_told(connection: AsyncConnection, wanted: Wanted, cursor: Cursor) -> Page[ToldHire]:
    """List hires, newest first."""
    rows = (await connection.execute(told_query(wanted, cursor))).mappings()
    return cursor.page(
        [told_from(row) for row in rows],
        key=lambda told: (told.hire.create_time, told.hire.hire_id),
    )


def told_query(wanted: Wanted, cursor: Cursor) -> sa.Select[Any]:
    """Select a page of hires, newest first.

    One bounded index scan per state, merged: however many hires are in other states, they are not
    walked through.
    """
    conditions = [
        HIRE.c.organisation_id == wanted.organisation_id,
        beyond(cursor, HIRE.c.create_time, HIRE.c.hire_id, descending=True),
    ]
    if wanted.job_id:
        conditions.append(HIRE.c.job_id == wanted.job_id)
    if wanted.proposal_id:
        conditions.append(HIRE.c.proposal_id == wanted.proposal_id)
    scans = (
        sa.select(HIRE.c.hire_id, HIRE.c.create_time)
        .where(*conditions, HIRE.c.state == state.value)
        .order_by(HIRE.c.create_time.desc(), HIRE.c.hire_id.desc())
        .limit(cursor.limit)
        for state in sorted(wanted.states or HireState)
    )
    found = sa.union_all(*scans).subquery("found")
    newest = (found.c.create_time.desc(), found.c.hire_id.desc())
    page = sa.select(found.c.hire_id).order_by(*newest).limit(cursor.limit)
    order = (HIRE.c.create_time.desc(), HIRE.c.hire_id.desc())
    return TOLD.where(HIRE.c.hire_id.in_(page)).order_by(*order)


async def steps_after(connection: AsyncConnection, hire_id: str, number: int) -> Sequence[HireStep]:
    """List a hire's steps with greater numbers, in order."""
    query = (
        sa.select(HIRE_STEP)
        .where(HIRE_STEP.c.hire_id == hire_id, HIRE_STEP.c.number > number)
        .order_by(HIRE_STEP.c.number)
    )
    return [_step(row) for row in (await connection.execute(query)).mappings()]


async def list_steps(connection: AsyncConnection, hire_id: str, cursor: Cursor) -> Page[HireStep]:
    """List a page of a hire's steps, oldest first."""
    query = (
        sa.select(HIRE_STEP)
        .where(HIRE_STEP.c.hire_id == hire_id, beyond(cursor, HIRE_STEP.c.number))
        .order_by(HIRE_STEP.c.number)
        .limit(cursor.limit)
    )
    steps = [_step(row) for row in (await connection.execute(query)).mappings()]
    return cursor.page(steps, key=lambda step: (step.number,))


async def stepped_since(
    connection: AsyncConnection, hire_id: str, number: int, by: Actor, what: str | None = None
) -> bool:
    """Tell whether a person caused a step after the given one, perhaps a certain one."""
    query = sa.exists().where(
        HIRE_STEP.c.hire_id == hire_id,
        HIRE_STEP.c.number > number,
        HIRE_STEP.c.actor_kind == by.kind,
        HIRE_STEP.c.actor_id == by.id,
        *([] if what is None else [HIRE_STEP.c.what == what]),
    )
    return bool((await connection.execute(sa.select(query))).scalar_one())


# Put together once: every process asks every other second.
_CLAIM_STARTS = (
    sa.update(HIRE)
    .where(
        HIRE.c.hire_id.in_(
            sa.select(HIRE.c.hire_id)
            .where(
                HIRE.c.started_at.is_(None),
                RUNNING,
                HIRE.c.start_sent_at < sa.bindparam("tried_before"),
            )
            .order_by(HIRE.c.create_time)
            .limit(sa.bindparam("most", type_=sa.Integer))
            .with_for_update(skip_locked=True)
        )
    )
    .values(start_sent_at=sa.bindparam("now"))
    .returning(HIRE.c.hire_id)
)


async def claim_starts(
    tx: AsyncConnection, tried_before: datetime, now: datetime, limit: int
) -> Sequence[str]:
    """Claim running hires whose workflow nobody saw start and nobody tried to since then."""
    told = {"tried_before": tried_before, "now": now, "most": limit}
    ids: Sequence[str] = (await tx.execute(_CLAIM_STARTS, told)).scalars().all()
    return ids


async def note_started(tx: AsyncConnection, hire_id: str, now: datetime) -> None:
    """Note that a hire's workflow was started; the first time stays."""
    started = sa.func.coalesce(HIRE.c.started_at, now)
    await tx.execute(sa.update(HIRE).where(HIRE.c.hire_id == hire_id).values(started_at=started))


async def quiet_since(
    connection: AsyncConnection, before: datetime, *, after: str, limit: int
) -> Sequence[Hire]:
    """List hires that run, were started and took no step since then, in the order of their ids."""
    query = (
        sa.select(HIRE)
        .where(
            RUNNING,
            HIRE.c.started_at.is_not(None),
            HIRE.c.update_time < before,
            HIRE.c.hire_id > after,
        )
        .order_by(HIRE.c.hire_id)
        .limit(limit)
    )
    return [_hire(row) for row in (await connection.execute(query)).mappings()]


async def note_contract(
    tx: AsyncConnection, hire_id: str, contract_id: str, milestone_id: str
) -> None:
    """Note which contract a hire makes, of a hire whose row this transaction holds."""
    await tx.execute(
        sa.update(HIRE)
        .where(HIRE.c.hire_id == hire_id)
        .values(contract_id=contract_id, milestone_id=milestone_id)
    )


def _values(hire: Hire) -> dict[str, Any]:
    plain = {name: getattr(hire, name) for name in _PLAIN if name != "create_time"}
    return {
        **plain,
        "state": hire.state.value,
        "stage": hire.stage.value,
        "waits_on": hire.waits_on.value,
        "waiting_for": hire.waiting_for.value if hire.waiting_for else None,
    }


def _hire(row: sa.RowMapping) -> Hire:
    return Hire(
        **{name: row[name] for name in _PLAIN},
        requested_by=Actor(row["requested_by_kind"], row["requested_by_id"]),
        state=HireState(row["state"]),
        stage=Stage(row["stage"]),
        waits_on=WaitsOn(row["waits_on"]),
        waiting_for=_waiting(row["waiting_for"]),
    )


def told_from(row: sa.RowMapping) -> ToldHire:
    """Read a row of `TOLD`."""
    return ToldHire(_hire(row), terms_from(row))


def _step(row: sa.RowMapping) -> HireStep:
    return HireStep(
        number=row["number"],
        stage=Stage(row["stage"]),
        what=row["what"],
        waiting_for=_waiting(row["waiting_for"]),
        stripe_object_id=row["stripe_object_id"],
        reason=row["reason"],
        actor=Actor(row["actor_kind"], row["actor_id"]),
        time=row["time"],
        wait_deadline=row["wait_deadline"],
    )


def _waiting(text: str | None) -> WaitingFor | None:
    return WaitingFor(text) if text else None
