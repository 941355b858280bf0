"""Lists of a job with thousands of proposals: what a page reads, and that all pages are whole."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Cursor, Page
from services.proposals.domain import Filter, Job, Order, RateRange, RateUnit, ReviewState
from services.proposals.store import listing
from services.proposals.store.listing import Listed
from services.proposals.store.tables import PROPOSAL
from tests.integration.conftest import Workspace
from tests.integration.proposals.world import World, statements


async def _rows_read(tx: AsyncConnection) -> int:
    """How many rows this transaction has read from the tables of proposals so far."""
    query = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint"
    where = "FROM pg_stat_xact_user_tables WHERE schemaname = 'proposals'"
    return int(await tx.scalar(sa.text(f"{query} {where}")) or 0)


async def _fill(world: World, job: Job, count: int) -> None:
    """Fill a job with proposals: of eight, seven are declined; every fifth is withdrawn."""
    one = await world.offered(job)
    numbers = sa.func.generate_series(0, count - 1).table_valued("n").render_derived()
    n = numbers.c.n
    changed: dict[str, sa.ColumnElement[Any]] = {
        "proposal_id": sa.func.concat(one.proposal_id, n),
        "trainer_id": sa.func.concat(one.trainer.id, n),
        "rate": 1 + n * 7919 % count,
        "match_score": n % 101,
        "review_state": sa.case((n % 8 == 0, "SHORTLISTED"), else_="DECLINED"),
        "withdrawn": n % 5 == 0,
        "interview_score": n % 102 - 1,
        "country": sa.case((n % 7 == 0, "US"), else_="DE"),
        "message": sa.func.concat("Ward ", n % 20, "% of the time"),
        "create_time": PROPOSAL.c.create_time + n * timedelta(seconds=1),
    }
    rows = (
        sa.select(*(changed.get(column.name, column) for column in PROPOSAL.c))
        .join_from(PROPOSAL, numbers, sa.true())
        .where(PROPOSAL.c.proposal_id == one.proposal_id)
    )
    async with world.database.begin() as tx:
        await tx.execute(sa.insert(PROPOSAL).from_select([*PROPOSAL.c], rows))
    async with world.database.begin() as tx:
        await tx.execute(sa.text(f"ANALYZE {PROPOSAL.fullname}"))


@pytest.fixture(scope="module")
async def crowd(workspace: Workspace) -> Job:
    """A job with 3,000 proposals, for tests that only read."""
    world = World(workspace)
    job = await world.job()
    await _fill(world, job, 3000)
    return job


async def listed(
    tx: AsyncConnection, job: Job, wanted: Filter, order: Order, cursor: Cursor
) -> Page[Listed]:
    found = await listing.list_of_job(tx, job.job_id, wanted, order, cursor)
    assert found is not None
    return found.page


async def test_the_counts_of_a_list_are_those_of_its_moment_whatever_is_asked_for(
    world: World,
) -> None:
    job = await world.job()
    await _fill(world, job, 700)
    truth = sa.text(
        "SELECT review_state, count(*) AS number FROM proposals.proposal"
        " WHERE job_id = :job AND NOT withdrawn GROUP BY 1"
    )
    await asyncio.gather(*(_move_some(world, job, seed) for seed in range(6)))
    async with world.database.begin() as tx:
        found = await listing.list_of_job(
            tx, job.job_id, Filter(minimum_score=100), Order.NEWEST, Cursor.read(1, "", "x")
        )
        rows = await tx.execute(truth, {"job": job.job_id})
        counted = {row.review_state: row.number for row in rows}
    assert found is not None
    assert {state.value: count for state, count in found.counts.items() if count} == counted


async def _move_some(world: World, job: Job, seed: int) -> None:
    """Review and withdraw at random, some of it undone again."""
    chance = random.Random(seed)  # noqa: S311 - which rows to move, no secret
    for _ in range(8):
        with suppress(RuntimeError):
            async with world.database.begin() as tx:
                await tx.execute(
                    sa.text(
                        "UPDATE proposals.proposal SET review_state = :state, withdrawn = :gone"
                        " WHERE job_id = :job AND match_score % 7 = :seventh"
                    ),
                    {
                        "state": chance.choice(["MAYBE", "DECLINED", "SHORTLISTED"]),
                        "gone": chance.random() < 0.3,
                        "job": job.job_id,
                        "seventh": seed,
                    },
                )
                if chance.random() < 0.3:
                    raise RuntimeError("rolled back")


async def test_a_page_reads_no_more_rows_in_a_crowd(world: World, crowd: Job) -> None:
    rare = frozenset({ReviewState.SHORTLISTED, ReviewState.HIRED})
    for order in Order:
        for states in (frozenset(ReviewState), rare):
            cursor = Cursor.read(10, "", order)
            for _ in range(3):
                async with world.database.begin() as tx:
                    before = await _rows_read(tx)
                    wanted = Filter(states)
                    page = await listed(tx, crowd, wanted, order, cursor)
                    read = await _rows_read(tx) - before
                assert len(page.items) == 10
                assert {proposal.review_state for proposal in page.items} <= states
                assert read < 150
                cursor = Cursor.read(10, page.next_token, order)


async def test_every_condition_narrows_a_list_and_pages_lead_through_all_that_meets_it(
    world: World, crowd: Job
) -> None:
    async with world.database.begin() as tx:
        for order in Order:
            for wanted in (
                Filter(minimum_score=60),
                Filter(country="US"),
                Filter(rate=RateRange(RateUnit.HOUR, 100, 200)),
                Filter(text="WARD 1%"),
                Filter(frozenset({ReviewState.SHORTLISTED}), 60, "US", None, "ward"),
            ):
                found, token, pages = [], "", 0
                while token or not pages:
                    cursor = Cursor.read(50, token, order)
                    before = await _rows_read(tx)
                    page = await listed(tx, crowd, wanted, order, cursor)
                    assert await _rows_read(tx) - before < _MOST_LOOKED_AT
                    found += [proposal.proposal_id for proposal in page.items]
                    token, pages = page.next_token, pages + 1
                assert len(found) == len(set(found))
                assert set(found) == await _meeting(tx, crowd.job_id, wanted)


async def test_a_range_of_what_a_list_is_ordered_by_bounds_what_a_page_reads(
    world: World, crowd: Job
) -> None:
    async with world.database.begin() as tx:
        for order, wanted in (
            (Order.INTERVIEW, Filter(minimum_score=99)),
            (Order.RATE, Filter(rate=RateRange(RateUnit.HOUR, 2900, 2930))),
        ):
            cursor = Cursor.read(100, "", order)
            before = await _rows_read(tx)
            page = await listed(tx, crowd, wanted, order, cursor)
            assert await _rows_read(tx) - before < 250
            ids = {proposal.proposal_id for proposal in page.items}
            assert (ids, page.next_token) == (await _meeting(tx, crowd.job_id, wanted), "")


async def test_the_best_interview_comes_first_and_who_has_none_comes_last(
    world: World, crowd: Job
) -> None:
    truth = (
        sa.select(PROPOSAL.c.interview_score, PROPOSAL.c.proposal_id)
        .where(PROPOSAL.c.job_id == crowd.job_id, sa.not_(PROPOSAL.c.withdrawn))
        .order_by(PROPOSAL.c.interview_score.desc(), PROPOSAL.c.proposal_id.desc())
    )
    async with world.database.begin() as tx:
        found, token = list[tuple[object, str]](), ""
        while token or not found:
            cursor = Cursor.read(90, token, "interview")
            page = await listed(tx, crowd, Filter(), Order.INTERVIEW, cursor)
            found += [(each.key, each.proposal_id) for each in page.items]
            token = page.next_token
        assert found == [tuple(row) for row in await tx.execute(truth)]
    assert (found[0][0], found[-1][0]) == (100, -1)


async def test_a_page_and_the_place_where_the_next_begins_are_of_one_moment(
    world: World, crowd: Job
) -> None:
    """One statement has one view; with two, what came between them is skipped or shown twice."""
    for wanted in (Filter(frozenset(ReviewState)), Filter(country="FR")):
        async with world.database.begin() as tx:
            with statements(tx) as told:
                page = await listed(tx, crowd, wanted, Order.NEWEST, Cursor.read(5, "", "x"))
        assert page.next_token
        assert len(told) == 1


# Of six review states each a bounded scan, and the rows themselves.
_MOST_LOOKED_AT = 8_000


async def _meeting(tx: AsyncConnection, job_id: str, wanted: Filter) -> set[str]:
    """The proposals that meet a filter, found by reading all of them."""
    rows = await tx.execute(sa.select(PROPOSAL).where(PROPOSAL.c.job_id == job_id))
    low, high = (wanted.rate.lowest, wanted.rate.highest or 0) if wanted.rate else (0, 2**62)
    return {
        row.proposal_id
        for row in rows
        if not row.withdrawn
        and (not wanted.states or ReviewState(row.review_state) in wanted.states)
        and (not wanted.minimum_score or row.interview_score >= wanted.minimum_score)
        and (not wanted.country or row.country == wanted.country)
        and low <= row.rate <= high
        and wanted.text.lower() in row.message.lower()
    }
