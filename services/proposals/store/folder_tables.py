"""The table of a folder: its columns and its pages. A trigger of the migration fills `ANSWER`.

A page costs the same however many candidates there are: per job of the folder one bounded index
scan in the wanted order, merged; a folder has as many jobs as people put into it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page, after_parameters
from services.proposals.domain import (
    AnswerColumn,
    Candidate,
    CandidateColumn,
    Condition,
    PlanKey,
    Range,
    ReviewState,
    ScreeningPlan,
    TableFilter,
    TableOrder,
    TableRow,
)
from services.proposals.store.jobs import read_plan
from services.proposals.store.screenings import read_answers
from services.proposals.store.tables import ANSWER, FOLDER, JOB, PLAN, PROPOSAL, SCREENING
from services.proposals.store.windows import LOOK, cut, last_of, window

_COMPLETE = SCREENING.c.complete_time.is_not(None)
_SORTED_BY: dict[CandidateColumn, sa.Column[Any]] = {
    CandidateColumn.COMPLETE_TIME: SCREENING.c.complete_time,
    CandidateColumn.INTERVIEW_SCORE: SCREENING.c.interview_score,
    CandidateColumn.NAME: SCREENING.c.display_name,
    CandidateColumn.COUNTRY: SCREENING.c.country,
}
_SHOWN = [
    SCREENING.c[name]
    for name in (
        *("screening_id", "job_id", "plan_version", "trainer_id", "display_name", "country"),
        *("title", "interview_score", "complete_time", "answers"),
    )
]

# What a cursor holds: the last screening, and among those who lack the leading answer a mark too.
_AMONG_LACKING = SCREENING.c.screening_id, SCREENING.c.interview_score
_LACKING = 1


@dataclass(frozen=True, slots=True)
class Folder:
    """Whose a folder is, and the jobs in it."""

    organisation_id: str
    job_ids: tuple[str, ...]


async def find_folder(connection: AsyncConnection, folder_id: str) -> Folder | None:
    """Read a folder with its jobs, in one view; None when it is not known."""
    query = (
        sa.select(FOLDER.c.organisation_id, JOB.c.job_id)
        .outerjoin_from(FOLDER, JOB, JOB.c.folder_id == FOLDER.c.folder_id)
        .where(FOLDER.c.folder_id == folder_id)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return None
    return Folder(rows[0].organisation_id, tuple(row.job_id for row in rows if row.job_id))


async def plans_of(
    connection: AsyncConnection, job_ids: Collection[str]
) -> dict[PlanKey, ScreeningPlan]:
    """Read the plans that jobs have, and those that complete screenings went by."""
    present = sa.select(JOB.c.job_id, JOB.c.plan_version, JOB.c.plan_questions).where(
        JOB.c.job_id.in_(job_ids), JOB.c.plan_version.is_not(None)
    )
    former = sa.select(PLAN).where(PLAN.c.job_id.in_(job_ids))
    both = sa.union_all(former, present).subquery()
    rows = await connection.execute(sa.select(both))
    return {(row.job_id, row.version): read_plan(row.version, row.questions or []) for row in rows}


@dataclass(frozen=True, slots=True)
class _Scan:
    """Where the rows come from in the wanted order, and by which values."""

    table: sa.Table
    keys: tuple[sa.Column[Any], ...]
    descending: bool
    within: tuple[sa.ColumnElement[bool], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the keys are called in what is scanned."""
        return tuple(f"key_{at}" for at in range(len(self.keys)))

    def directed(self, columns: Sequence[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
        return [column.desc() if self.descending else column.asc() for column in columns]


async def list_table(
    connection: AsyncConnection,
    folder: Folder,
    wanted: TableFilter,
    order: TableOrder,
    cursor: Cursor,
) -> Page[TableRow]:
    """Read a page of a folder's table, in one statement.

    A range of the leading column bounds the scans; with conditions beyond it, and among missing
    answers, see the windows. The cursor has no more than the last row's screening: what a person
    answered is in no token, and a complete screening changes no more. Raises InvalidInput for a
    cursor of no such list.
    """
    column = order.by if isinstance(order.by, AnswerColumn) else None
    lacking = column is not None and len(cursor.after) == len(_AMONG_LACKING)
    after_parameters(cursor, *(_AMONG_LACKING if lacking else _AMONG_LACKING[:1]))
    mark = (_LACKING,) if lacking else ()
    scan = _scan(order, wanted, lacking=lacking)
    conditions = _conditions(wanted, order, lacking=lacking)
    reach = LOOK if conditions else cursor.limit
    after = str(cursor.after[0]) if cursor.after else ""
    ordered = _merged(scan, folder, wanted.job_ids, after, reach)
    found = window(ordered, scan.names, descending=scan.descending, reach=reach)
    statement = _page(found, conditions, cursor.limit, reach)
    rows = (await connection.execute(statement)).all()
    last = rows[0].last_screening_id
    page = cut(
        cursor,
        [_row(row) for row in rows if row.screening_id is not None],
        lambda row: (row.screening_id, *mark),
        (last, *mark) if last is not None else (),
        lambda row: sum(len(str(answer).encode()) for answer in row.answers.values()),
    )
    ends = column is not None and not lacking and not page.next_token
    if ends and not any(each.column == column and not each.missing for each in wanted.answers):
        return Page(page.items, cursor.token(("", _LACKING)))
    return page


def _page(
    found: sa.CTE, conditions: Sequence[sa.ColumnElement[bool]], limit: int, reach: int
) -> sa.Select[tuple[Any, ...]]:
    page = (
        sa.select(*_SHOWN, PROPOSAL.c.proposal_id, PROPOSAL.c.review_state, found.c.place)
        .join(found, found.c.screening_id == SCREENING.c.screening_id)
        .outerjoin(
            PROPOSAL,
            (PROPOSAL.c.job_id == SCREENING.c.job_id)
            & (PROPOSAL.c.trainer_id == SCREENING.c.trainer_id)
            & sa.not_(PROPOSAL.c.withdrawn),
        )
        .where(*conditions)
        .order_by(found.c.place)
        .limit(limit)
        .subquery("page")
    )
    last = last_of(found, "screening_id", reach=reach)
    # A row comes also where the page has none: it tells where the next one begins.
    always = sa.select(sa.literal_column("1").label("one")).subquery("always")
    return (
        sa.select(*page.c, *last.c)
        .select_from(always.outerjoin(page, sa.true()).outerjoin(last, sa.true()))
        .order_by(page.c.place)
    )


def _scan(order: TableOrder, wanted: TableFilter, *, lacking: bool) -> _Scan:
    if lacking:
        keys = SCREENING.c.complete_time, SCREENING.c.screening_id
        return _Scan(SCREENING, keys, descending=True, within=(_COMPLETE,))
    if isinstance(order.by, AnswerColumn):
        asked = ANSWER.c.key == order.by.key, ANSWER.c.kind == order.by.kind
        bounds = [
            bound
            for each in wanted.answers
            if each.column == order.by and each.range is not None
            for bound in _bounds(each.range)
        ]
        keys_of_answer = ANSWER.c.number, ANSWER.c.text, ANSWER.c.screening_id
        return _Scan(ANSWER, keys_of_answer, order.descending, (*asked, *bounds))
    keys = _SORTED_BY[order.by], SCREENING.c.screening_id
    within = _COMPLETE, *_of_candidates(wanted).get(order.by, ())
    return _Scan(SCREENING, keys, order.descending, within)


def _merged(
    scan: _Scan, folder: Folder, job_ids: Collection[str], after: str, reach: int
) -> sa.Select[tuple[Any, ...]]:
    """Merge a scan of each job that reaches so far behind a screening; the caller bounds the whole.

    Behind one that is not the organisation's nothing is found.
    """
    shown = [each for each in folder.job_ids if not job_ids or each in job_ids]
    jobs = (
        sa.func.unnest(sa.literal(shown, ARRAY(sa.Text)))
        .table_valued(sa.column("job_id", sa.Text), name="jobs")
        .render_derived()
    )
    origin: sa.FromClause = jobs
    named = [key.label(name) for name, key in zip(scan.names, scan.keys, strict=True)]
    behind: sa.ColumnElement[bool] = sa.true()
    if after:
        at = (
            sa.select(*named)
            .join(JOB, JOB.c.job_id == scan.table.c.job_id)
            .where(scan.table.c.screening_id == after, *scan.within)
            .where(JOB.c.organisation_id == folder.organisation_id)
            .subquery("at")
        )
        row, place = sa.tuple_(*scan.keys), sa.tuple_(*at.c)
        behind = row < place if scan.descending else row > place
        origin = origin.join(at, sa.true())
    of_job = (
        sa.select(*named, scan.table.c.screening_id)
        .where(scan.table.c.job_id == jobs.c.job_id, *scan.within, behind)
        .order_by(*scan.directed(scan.keys))
        .limit(reach)
        .lateral("of_job")
    )
    by = scan.directed([of_job.c[name] for name in scan.names])
    return sa.select(*of_job.c).select_from(origin.join(of_job, sa.true())).order_by(*by)


def _conditions(
    wanted: TableFilter, order: TableOrder, *, lacking: bool
) -> list[sa.ColumnElement[bool]]:
    """Give what rows must meet beside what bounds the scans of this order."""
    scanned = None if lacking else order.by
    conditions = [
        _meets(each) for each in wanted.answers if each.column != scanned or each.range is None
    ]
    for column, bounds in _of_candidates(wanted).items():
        conditions += bounds if column != scanned else ()
    if wanted.text:
        texts = SCREENING.c.display_name, SCREENING.c.title
        conditions.append(sa.or_(*(each.icontains(wanted.text, autoescape=True) for each in texts)))
    if lacking and isinstance(order.by, AnswerColumn):
        conditions.append(_lacks(order.by))
    return conditions


def _of_candidates(wanted: TableFilter) -> dict[CandidateColumn, list[sa.ColumnElement[bool]]]:
    score, country = SCREENING.c.interview_score, SCREENING.c.country
    return {
        CandidateColumn.INTERVIEW_SCORE: (
            [score >= wanted.minimum_score] if wanted.minimum_score else []
        ),
        CandidateColumn.COUNTRY: [country == wanted.country] if wanted.country else [],
    }


def _meets(condition: Condition) -> sa.ColumnElement[bool]:
    column = condition.column
    if condition.missing is not None:
        return _lacks(column) if condition.missing else sa.not_(_lacks(column))
    answer = SCREENING.c.answers[column.key].astext
    if condition.contains is not None:
        found = answer.icontains(condition.contains, autoescape=True)
        return sa.and_(_answered(column), found)
    if condition.any_of is not None:
        return sa.and_(_answered(column), answer.in_(condition.any_of))
    return _answered(column, *(_bounds(condition.range) if condition.range else ()))


def _bounds(range_: Range) -> list[sa.ColumnElement[bool]]:
    low, high = range_.minimum, range_.maximum
    bounds = [ANSWER.c.number >= low] if low is not None else []
    return bounds + ([ANSWER.c.number <= high] if high is not None else [])


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
        plan_version=row.plan_version,
        candidate=Candidate(row.trainer_id, row.display_name, row.country, row.title),
        interview_score=row.interview_score,
        complete_time=row.complete_time,
        answers=read_answers(row.answers),
        proposal_id=row.proposal_id or "",
        review_state=ReviewState(row.review_state) if row.review_state else None,
    )
