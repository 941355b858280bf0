"""The table of a folder: its columns and its pages. A trigger of the migration fills `ANSWER`.

A page costs the same however many candidates there are: per job of the folder one bounded index
scan in the wanted order, merged; a folder has as many jobs as people put into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, beyond
from services.proposals.domain import (
    AnswerColumn,
    Candidate,
    CandidateColumn,
    Condition,
    ReviewState,
    ScreeningPlan,
    TableFilter,
    TableOrder,
    TableRow,
)
from services.proposals.store.jobs import read_plan
from services.proposals.store.screenings import read_answers
from services.proposals.store.tables import ANSWER, JOB, PLAN, PROPOSAL, SCREENING

# How many candidates a page with conditions looks at: some milliseconds.
_LOOK = 1000
_NEWEST = (datetime.max.replace(tzinfo=UTC), "")
_COMPLETE = SCREENING.c.complete_time.is_not(None)
_SORTED_BY: dict[CandidateColumn, sa.Column[Any]] = {
    CandidateColumn.COMPLETE_TIME: SCREENING.c.complete_time,
    CandidateColumn.INTERVIEW_SCORE: SCREENING.c.interview_score,
    CandidateColumn.NAME: SCREENING.c.display_name,
    CandidateColumn.COUNTRY: SCREENING.c.country,
}


async def plans_of(connection: AsyncConnection, folder_id: str) -> list[ScreeningPlan]:
    """Read the plans that a folder's jobs have, and those that complete screenings went by."""
    of_folder = JOB.c.folder_id == folder_id
    present = sa.select(JOB.c.job_id, JOB.c.plan_version, JOB.c.plan_questions).where(
        of_folder, JOB.c.plan_version.is_not(None)
    )
    former = sa.select(PLAN).join(JOB, JOB.c.job_id == PLAN.c.job_id).where(of_folder)
    both = sa.union_all(former, present).subquery()
    rows = await connection.execute(sa.select(both).order_by(both.c.job_id, both.c.version))
    return [read_plan(row.version, row.questions or []) for row in rows]


@dataclass(frozen=True, slots=True)
class _Scan:
    """Where the rows come from in the wanted order, and by which values."""

    table: sa.Table
    keys: tuple[sa.Column[Any], ...]
    descending: bool
    within: tuple[sa.ColumnElement[bool], ...]

    def directed(self, columns: Sequence[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
        return [column.desc() if self.descending else column.asc() for column in columns]


async def list_table(
    connection: AsyncConnection,
    folder_id: str,
    wanted: TableFilter,
    order: TableOrder,
    cursor: Cursor,
) -> Page[TableRow]:
    """Read a page of a folder's table.

    With conditions, and among missing answers, the page is what meets them of the next `_LOOK`
    candidates in order: it may be short, even empty, and still not the last.
    """
    column = order.by if isinstance(order.by, AnswerColumn) else None
    # A token with two values leads on among those who lack the leading answer.
    behind = column if column and len(cursor.after) == len(_NEWEST) else None
    scan = _scan(order, missing=behind is not None)
    conditions = _conditions(wanted) + ([_lacks(behind)] if behind else [])
    reach = _LOOK if conditions else cursor.limit
    merged = _merged(scan, folder_id, wanted, cursor, reach)
    found = merged.limit(reach).subquery("found")
    keys = [found.c[f"key_{at}"] for at in range(len(scan.keys))]
    query = (
        sa.select(SCREENING, PROPOSAL.c.proposal_id, PROPOSAL.c.review_state, *keys)
        .join(found, found.c.screening_id == SCREENING.c.screening_id)
        .outerjoin(
            PROPOSAL,
            (PROPOSAL.c.job_id == SCREENING.c.job_id)
            & (PROPOSAL.c.trainer_id == SCREENING.c.trainer_id)
            & sa.not_(PROPOSAL.c.withdrawn),
        )
        .where(*conditions)
        .order_by(*scan.directed(keys))
        .limit(cursor.limit)
    )
    rows = (await connection.execute(query)).all()
    page = cursor.page(rows, key=lambda row: tuple(row)[-len(keys) :])
    token = page.next_token
    if conditions and not token:
        last = merged.offset(_LOOK - 1).limit(1)
        reached = (await connection.execute(last)).one_or_none()
        token = cursor.token(tuple(reached)[:-1]) if reached else ""
    if column and behind is None and not token:
        token = cursor.token(_NEWEST)
    return Page(tuple(map(_row, page.items)), token)


def _scan(order: TableOrder, *, missing: bool) -> _Scan:
    if missing:
        keys = SCREENING.c.complete_time, SCREENING.c.screening_id
        return _Scan(SCREENING, keys, descending=True, within=(_COMPLETE,))
    if isinstance(order.by, AnswerColumn):
        within = ANSWER.c.key == order.by.key, ANSWER.c.kind == order.by.kind
        keys_of_answer = ANSWER.c.number, ANSWER.c.text, ANSWER.c.screening_id
        return _Scan(ANSWER, keys_of_answer, order.descending, within)
    keys = _SORTED_BY[order.by], SCREENING.c.screening_id
    return _Scan(SCREENING, keys, order.descending, (_COMPLETE,))


def _merged(
    scan: _Scan, folder_id: str, wanted: TableFilter, cursor: Cursor, reach: int
) -> sa.Select[tuple[Any, ...]]:
    """Merge a scan of each job that reaches so far; the caller bounds the whole."""
    named = [key.label(f"key_{at}") for at, key in enumerate(scan.keys)]
    of_job = (
        sa.select(*named, scan.table.c.screening_id)
        .where(
            scan.table.c.job_id == JOB.c.job_id,
            *scan.within,
            beyond(cursor, *scan.keys, descending=scan.descending),
        )
        .order_by(*scan.directed(scan.keys))
        .limit(reach)
        .lateral("of_job")
    )
    keys = [of_job.c[name.name] for name in named]
    query = (
        sa.select(*keys, of_job.c.screening_id)
        .select_from(JOB.join(of_job, sa.true()))
        .where(JOB.c.folder_id == folder_id)
        .order_by(*scan.directed(keys))
    )
    return query.where(JOB.c.job_id.in_(wanted.job_ids)) if wanted.job_ids else query


def _conditions(wanted: TableFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [_meets(each) for each in wanted.answers]
    if wanted.minimum_score:
        conditions.append(SCREENING.c.interview_score >= wanted.minimum_score)
    if wanted.country:
        conditions.append(SCREENING.c.country == wanted.country)
    if wanted.text:
        texts = SCREENING.c.display_name, SCREENING.c.title
        conditions.append(sa.or_(*(each.icontains(wanted.text, autoescape=True) for each in texts)))
    return conditions


def _meets(condition: Condition) -> sa.ColumnElement[bool]:
    column = condition.column
    if condition.missing is not None:
        return _lacks(column) if condition.missing else sa.not_(_lacks(column))
    answer = SCREENING.c.answers[column.key].astext
    tests: list[sa.ColumnElement[bool]] = [sa.not_(_lacks(column))]
    if condition.contains is not None:
        tests.append(answer.icontains(condition.contains, autoescape=True))
    if condition.any_of is not None:
        tests.append(answer.in_(condition.any_of))
    if condition.range is not None:
        low, high = condition.range.minimum, condition.range.maximum
        bounds = [ANSWER.c.number >= low] if low is not None else []
        bounds += [ANSWER.c.number <= high] if high is not None else []
        tests.append(_answered(column, *bounds))
    return sa.and_(*tests)


def _answered(column: AnswerColumn, *tests: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return (
        sa.select(ANSWER.c.screening_id)
        .where(
            ANSWER.c.screening_id == SCREENING.c.screening_id,
            ANSWER.c.key == column.key,
            ANSWER.c.kind == column.kind,
            *tests,
        )
        .correlate(SCREENING)
        .exists()
    )


def _lacks(column: AnswerColumn) -> sa.ColumnElement[bool]:
    return sa.not_(_answered(column))


def _row(row: sa.Row[Any]) -> TableRow:
    return TableRow(
        screening_id=row.screening_id,
        job_id=row.job_id,
        candidate=Candidate(row.trainer_id, row.display_name, row.country, row.title),
        interview_score=row.interview_score,
        complete_time=row.complete_time,
        plan=read_plan(row.plan_version, row.plan_questions),
        answers=read_answers(row.answers),
        proposal_id=row.proposal_id or "",
        review_state=ReviewState(row.review_state) if row.review_state else None,
    )
