"""Jobs: one by one, many at once, an organisation's."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.jobs.domain import (
    FieldType,
    Job,
    Pay,
    PayKind,
    Posting,
    ScreeningField,
    ScreeningPlan,
    Settings,
    State,
    Visibility,
)
from services.jobs.domain.work import ACTIVE
from services.jobs.store.tables import CONTRACT, INVITATION, JOB, PROPOSAL_COUNT

# How many jobs a page with conditions looks at: some milliseconds, where their texts are usual.
LOOK = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of an organisation's jobs a list shows; an empty value filters nothing."""

    organisation_id: str
    states: Collection[State]
    folder_id: str = ""
    category: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Visible:
    """A job, and whether the trainer who asks is invited to it, or works on it."""

    job: Job
    invited: bool
    working: bool


_LIVE = sa.func.coalesce(PROPOSAL_COUNT.c.live, 0).label("proposals")
_JOB_WITH_COUNT = sa.select(JOB, _LIVE).outerjoin(
    PROPOSAL_COUNT, PROPOSAL_COUNT.c.job_id == JOB.c.job_id
)
# Put together once, as whatever is asked for each hire, proposal or change of a job.
_OF_JOB = JOB.c.job_id == sa.bindparam("of_job")
_NEW, _SAVED = sa.insert(JOB), sa.update(JOB).where(_OF_JOB)
_LOCKED = _JOB_WITH_COUNT.where(_OF_JOB).with_for_update(of=JOB)
_LOCKED_OF_ORGANISATION = _LOCKED.where(JOB.c.organisation_id == sa.bindparam("of_organisation"))
_TRAINER = sa.bindparam("of_trainer", type_=sa.Text)
_INVITED = sa.exists().where(
    INVITATION.c.job_id == JOB.c.job_id, INVITATION.c.trainer_id == _TRAINER
)
_WORKING = sa.exists().where(
    CONTRACT.c.job_id == JOB.c.job_id,
    CONTRACT.c.trainer_id == _TRAINER,
    CONTRACT.c.state == ACTIVE,
)
_VISIBLE = _JOB_WITH_COUNT.add_columns(_INVITED.label("invited"), _WORKING.label("working")).where(
    JOB.c.job_id.in_(sa.bindparam("of_jobs", expanding=True))
)


async def insert_job(tx: AsyncConnection, job: Job) -> None:
    """Store a new job."""
    await tx.execute(_NEW, _values(job))


async def save_job(tx: AsyncConnection, job: Job) -> None:
    """Store a job that this transaction locked and changed."""
    await tx.execute(_SAVED, {"of_job": job.job_id, **_values(job)})


async def move_jobs(
    tx: AsyncConnection, job_ids: Collection[str], folder_id: str, now: datetime
) -> None:
    """Store that jobs which this transaction locked are in a folder, or in none, as Job.move."""
    await tx.execute(
        sa.update(JOB)
        .where(JOB.c.job_id.in_(job_ids))
        .values(folder_id=folder_id or None, version=JOB.c.version + 1, update_time=now)
    )


async def lock_job(
    tx: AsyncConnection, job_id: str, *, organisation_id: str | None = None
) -> Job | None:
    """Load a job and hold its row until the transaction ends.

    With an organisation, another's job is neither found nor held.
    """
    if organisation_id is None:
        locked = await tx.execute(_LOCKED, {"of_job": job_id})
    else:
        told = {"of_job": job_id, "of_organisation": organisation_id}
        locked = await tx.execute(_LOCKED_OF_ORGANISATION, told)
    row = locked.one_or_none()
    return None if row is None else _job(row)


async def find_visible(
    connection: AsyncConnection, job_ids: Collection[str], trainer_id: str = ""
) -> Mapping[str, Visible]:
    """Read jobs by their ids, each with what it is to a trainer."""
    rows = await connection.execute(_VISIBLE, {"of_jobs": list(job_ids), "of_trainer": trainer_id})
    return {row.job_id: Visible(_job(row), row.invited, row.working) for row in rows}


async def lock_jobs(
    tx: AsyncConnection, organisation_id: str, job_ids: Collection[str]
) -> Mapping[str, Job]:
    """Load an organisation's jobs and hold their rows, in one order for all who do so."""
    query = (
        _JOB_WITH_COUNT.where(JOB.c.organisation_id == organisation_id, JOB.c.job_id.in_(job_ids))
        .order_by(JOB.c.job_id)
        .with_for_update(of=JOB)
    )
    return {row.job_id: _job(row) for row in await tx.execute(query)}


async def lock_folders_jobs(tx: AsyncConnection, folder_id: str) -> list[Job]:
    """Load a folder's jobs and hold their rows, in the same order."""
    query = _JOB_WITH_COUNT.where(JOB.c.folder_id == folder_id)
    rows = await tx.execute(query.order_by(JOB.c.job_id).with_for_update(of=JOB))
    return [_job(row) for row in rows]


async def list_jobs(connection: AsyncConnection, wanted: Wanted, cursor: Cursor) -> Page[Job]:
    """Read a page of an organisation's jobs, newest first.

    One bounded index scan per state, merged: however many jobs are in other states, categories or
    folders, they are not walked through. With a text, or a category in a folder, the page is what
    meets them of the next `LOOK` jobs: it may be short, even empty, and still not the last. No
    index finds a part of a word in every script, and an organisation may have any number of jobs.
    """
    conditional = bool(wanted.text or (wanted.folder_id and wanted.category))
    reach = LOOK if conditional else cursor.limit
    seen = _newest(wanted, cursor, reach).subquery("seen")
    meets = sa.and_(sa.true(), *_conditions(wanted, seen))
    query = (
        sa.select(seen, _LIVE, meets.label("meets"))
        .outerjoin(PROPOSAL_COUNT, PROPOSAL_COUNT.c.job_id == seen.c.job_id)
        # The last that is looked at tells where the next page begins, also if it is not shown.
        .where(sa.or_(meets, seen.c.place == reach))
        .order_by(seen.c.place)
        .limit(cursor.limit)
    )
    rows = (await connection.execute(query)).all()
    page = cursor.page([_job(row) for row in rows if row.meets], _place, _weight)
    if rows and rows[-1].place == reach and not page.next_token:
        return Page(page.items, cursor.token(_place(_job(rows[-1]))))
    return page


def _newest(wanted: Wanted, cursor: Cursor, reach: int) -> sa.Select[tuple[Any, ...]]:
    """Select the next so many jobs that one index finds, each with its place among them."""
    found = [JOB.c.organisation_id == wanted.organisation_id]
    if wanted.folder_id:
        found.append(JOB.c.folder_id == wanted.folder_id)
    elif wanted.category:
        found.append(JOB.c.category == wanted.category)
    behind = beyond(cursor, JOB.c.create_time, JOB.c.job_id, descending=True)
    scans = (
        sa.select(JOB)
        .where(*found, JOB.c.state == state, behind)
        .order_by(JOB.c.create_time.desc(), JOB.c.job_id.desc())
        .limit(reach)
        for state in sorted(set(wanted.states))
    )
    merged = sa.union_all(*scans).subquery("merged")
    order = merged.c.create_time.desc(), merged.c.job_id.desc()
    place = sa.func.row_number().over(order_by=order).label("place")
    return sa.select(merged, place).order_by(*order).limit(reach)


def _conditions(wanted: Wanted, seen: sa.Subquery) -> list[sa.ColumnElement[bool]]:
    """Give what the index that finds the jobs does not tell of them."""
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.folder_id and wanted.category:
        conditions.append(seen.c.category == wanted.category)
    if wanted.text:
        words = sa.func.lower(seen.c.title + "\n" + seen.c.description)
        conditions.append(sa.func.strpos(words, sa.func.lower(wanted.text)) > 0)
    return conditions


def _place(job: Job) -> tuple[datetime, str]:
    return job.create_time, job.job_id


def _weight(job: Job) -> int:
    return len(job.posting.description.encode()) + job.posting.screening_plan.size


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
        "plan_prompt": posting.screening_plan.prompt,
        "plan_fields": [_field_values(field) for field in posting.screening_plan.fields],
        "plan_version": job.plan_version,
        "folder_id": job.folder_id or None,
        "finished_by_itself": job.finished_by_itself,
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
            screening_plan=ScreeningPlan(
                row.plan_prompt, tuple(_field(values) for values in row.plan_fields)
            ),
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
        plan_version=row.plan_version,
        folder_id=row.folder_id or "",
        proposals=row.proposals,
        finished_by_itself=row.finished_by_itself,
    )


def _field_values(field: ScreeningField) -> dict[str, object]:
    return {**asdict(field), "options": list(field.options)}


def _field(values: dict[str, Any]) -> ScreeningField:
    kind, options = FieldType(values["type"]), tuple(values["options"])
    return ScreeningField(**{**values, "type": kind, "options": options})
