"""A job's live proposals as its employer lists them, with how many are in each review state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Key, Page, after_parameters, beyond_parameters
from services.proposals.domain import Filter, Order, Proposal, ReviewState
from services.proposals.store.proposals import find_proposals
from services.proposals.store.tables import JOB, LIVE, PROPOSAL, PROPOSAL_COUNT
from services.proposals.store.windows import LOOK, cut, last_of, window

_ORDERS: dict[Order, tuple[sa.Column[Any], bool]] = {
    Order.NEWEST: (PROPOSAL.c.create_time, True),
    Order.MATCH: (PROPOSAL.c.match_score, True),
    Order.RATE: (PROPOSAL.c.rate, False),
    Order.INTERVIEW: (PROPOSAL.c.interview_score, True),
}
_COUNTS = {state: PROPOSAL_COUNT.c[state.lower()] for state in ReviewState}
_OWNER = sa.select(
    JOB.c.organisation_id.label("owner"),
    *(
        sa.func.coalesce(column, sa.literal_column("0")).label(f"count_{state}")
        for state, column in _COUNTS.items()
    ),
).outerjoin_from(JOB, PROPOSAL_COUNT, PROPOSAL_COUNT.c.job_id == JOB.c.job_id)
# What a row tells before it comes to the proposal.
_BESIDE = 1 + len(_COUNTS)
_COUNTED = _OWNER.where(JOB.c.job_id == sa.bindparam("of_job"))


class Listed(NamedTuple):
    """A live proposal in a list: what never changes of it, as it was written, and what does.

    A tuple, since fifty are made for a page; `key` is its value in the order of the list.
    """

    proposal_id: str
    key: Key
    written: bytes | None
    review_state: str
    hire_id: str
    version: int
    update_time: datetime


_LISTED = slice(_BESIDE, _BESIDE + len(Listed._fields))
_CHANGING = tuple(PROPOSAL.c[name] for name in Listed._fields[2:])


@dataclass(frozen=True, slots=True)
class OfJob:
    """What is listed of a job: whose it is, a page, and the counts in the very same view.

    `unwritten` has those of the page that were stored before anything was written with them.
    """

    organisation_id: str
    page: Page[Listed]
    unwritten: Mapping[str, Proposal]
    counts: Mapping[ReviewState, int]


async def list_of_job(
    connection: AsyncConnection, job_id: str, wanted: Filter, order: Order, cursor: Cursor
) -> OfJob | None:
    """Read a page of a job's live proposals, in one statement; None where the job is not known.

    All states are one bounded index scan, some are one each, merged. A range of what the list is
    ordered by bounds the scan too; with conditions beyond both, see the windows.
    """
    keys = _keys(order)
    states = tuple(sorted(wanted.states)) if wanted.states != set(ReviewState) else ()
    bounds, conditions = _narrowed(wanted, order)
    given = {
        "of_job": job_id,
        "reach": LOOK if conditions else cursor.limit,
        "size": cursor.limit,
        **after_parameters(cursor, *keys),
    }
    further = bool(cursor.after)
    if bounds or conditions:
        statement = _page(states, order, bounds, conditions, further=further)
    else:
        statement = plain_page(states, order, further=further)
    rows = (await connection.execute(statement, given)).all()
    if not rows:
        return None
    found = [Listed(*row[_LISTED]) for row in rows if row[_BESIDE] is not None]
    full = conditions and rows[0].last_proposal_id is not None
    page = cut(
        cursor,
        found,
        lambda listed: (listed.key, listed.proposal_id),
        (rows[0].last_key, rows[0].last_proposal_id) if full else (),
        lambda listed: len(listed.written or b""),
    )
    unwritten = [each.proposal_id for each in page.items if each.written is None]
    whole = await find_proposals(connection, unwritten) if unwritten else {}
    return OfJob(rows[0].owner, page, whole, _counts(rows[0]))


async def count_of_job(
    connection: AsyncConnection, job_id: str
) -> tuple[str, Mapping[ReviewState, int]] | None:
    """Tell whose a job is and how many live proposals each state has; None if it is not known."""
    row = (await connection.execute(_COUNTED, {"of_job": job_id})).one_or_none()
    return None if row is None else (row.owner, _counts(row))


def _counts(row: sa.Row[Any]) -> Mapping[ReviewState, int]:
    return {state: getattr(row, f"count_{state}") for state in _COUNTS}


# Built once each: building one costs more than the database takes to answer it.
@lru_cache(maxsize=256)
def plain_page(
    states: tuple[ReviewState, ...], order: Order, *, further: bool
) -> sa.Select[tuple[Any, ...]]:
    """Build the statement of a page that nothing but review states narrows."""
    return _page(states, order, (), (), further=further)


def _page(
    states: tuple[ReviewState, ...],
    order: Order,
    bounds: Sequence[sa.ColumnElement[bool]],
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    further: bool,
) -> sa.Select[tuple[Any, ...]]:
    if not conditions:
        return _of_owner(order, _ordered(states, order, bounds, *_CHANGING, further=further))
    _, descending = _ORDERS[order]
    ordered = _ordered(states, order, bounds, further=further)
    found = window(ordered, ("key", "proposal_id"), descending=descending)
    last = last_of(found, "key", "proposal_id")
    shown = (
        sa.select(found.c.proposal_id, found.c.key, *_CHANGING)
        .join(PROPOSAL, found.c.proposal_id == PROPOSAL.c.proposal_id)
        .where(*conditions)
        .order_by(found.c.place)
    )
    return _of_owner(order, shown).add_columns(*last.c).outerjoin(last, sa.true())


def _of_owner(order: Order, shown: sa.Select[tuple[Any, ...]]) -> sa.Select[tuple[Any, ...]]:
    _, descending = _ORDERS[order]
    page = shown.limit(sa.bindparam("size", type_=sa.Integer)).subquery("page")
    # The owner's row comes also without proposals: one round trip tells who may read them.
    return (
        _COUNTED.add_columns(*page.c)
        .outerjoin(page, sa.true())
        .order_by(*_directed((page.c.key, page.c.proposal_id), descending=descending))
    )


def _ordered(
    states: tuple[ReviewState, ...],
    order: Order,
    bounds: Sequence[sa.ColumnElement[bool]],
    *columns: sa.ColumnElement[Any],
    further: bool,
) -> sa.Select[tuple[Any, ...]]:
    """Order the proposals in these states by their keys; no states means all."""
    _, descending = _ORDERS[order]
    keys = _keys(order)
    behind = beyond_parameters(*keys, descending=descending) if further else sa.true()
    scans = [
        sa.select(PROPOSAL.c.proposal_id, keys[0].label("key"), *columns)
        .where(
            PROPOSAL.c.job_id == sa.bindparam("of_job"),
            PROPOSAL.c.review_state == sa.literal_column(f"'{state}'") if state else sa.true(),
            LIVE,
            behind,
            *bounds,
        )
        .order_by(*_directed(keys, descending=descending))
        .limit(sa.bindparam("reach", type_=sa.Integer))
        for state in states or (None,)
    ]
    if len(scans) == 1:
        return scans[0]
    merged = sa.union_all(*scans).subquery("merged")
    by = (merged.c.key, merged.c.proposal_id)
    return sa.select(merged).order_by(*_directed(by, descending=descending))


def _keys(order: Order) -> tuple[sa.Column[Any], sa.Column[Any]]:
    return _ORDERS[order][0], PROPOSAL.c.proposal_id


def _narrowed(
    wanted: Filter, order: Order
) -> tuple[list[sa.ColumnElement[bool]], list[sa.ColumnElement[bool]]]:
    """Tell apart what bounds the scan in this order, and what its rows must meet beside."""
    score, rate = PROPOSAL.c.interview_score, PROPOSAL.c.rate
    ranges: dict[Order, list[sa.ColumnElement[bool]]] = {Order.INTERVIEW: [], Order.RATE: []}
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.minimum_score:
        ranges[Order.INTERVIEW].append(score >= wanted.minimum_score)
    if wanted.country:
        conditions.append(PROPOSAL.c.country == wanted.country)
    if wanted.rate is not None:
        conditions.append(PROPOSAL.c.rate_unit == wanted.rate.unit)
        ranges[Order.RATE].append(rate >= wanted.rate.lowest)
        if wanted.rate.highest is not None:
            ranges[Order.RATE].append(rate <= wanted.rate.highest)
    if wanted.text:
        columns = (PROPOSAL.c.display_name, PROPOSAL.c.title, PROPOSAL.c.summary)
        texts = (*columns, PROPOSAL.c.message)
        conditions.append(sa.or_(*(each.icontains(wanted.text, autoescape=True) for each in texts)))
    bounds = ranges.pop(order, [])
    return bounds, [*conditions, *(each for some in ranges.values() for each in some)]


def _directed(
    columns: Iterable[sa.ColumnElement[Any]], *, descending: bool
) -> list[sa.ColumnElement[Any]]:
    return [column.desc() if descending else column.asc() for column in columns]
