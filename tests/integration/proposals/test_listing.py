"""Lists and counts of a job's proposals, page by page, while more come in."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.journey import Caller
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from services.common.paging import Cursor, Page
from services.proposals.domain import Filter, Job, Order, RateRange, RateUnit, ReviewState
from services.proposals.store import listing
from services.proposals.store.listing import Listed
from services.proposals.store.tables import PROPOSAL
from tests.integration.proposals.world import Offered, World, new_id
from tests.refusals import refusal


@pytest.fixture
async def job(world: World) -> Job:
    return await world.job()


@pytest.fixture
def employer(world: World, job: Job) -> Caller:
    return world.by(Kind.EMPLOYER, job.organisation_id)


async def _page(world: World, caller: Caller, **fields: object) -> pb.ListProposalsResponse:
    request = pb.ListProposalsRequest(**fields)  # type: ignore[arg-type] # fields by name
    return await caller.call(world.stub.ListProposals, request)


def _ids(page: pb.ListProposalsResponse) -> list[str]:
    return [proposal.proposal_id for proposal in page.proposals]


def _expected(order: int, rates: dict[str, int]) -> list[str]:
    newest = [*rates][::-1]
    match order:
        case pb.PROPOSAL_ORDER_RATE:
            return sorted(rates, key=lambda each: (rates[each], each))
        case pb.PROPOSAL_ORDER_MATCH | pb.PROPOSAL_ORDER_INTERVIEW:
            return sorted(newest, reverse=True)  # all match alike, none has an interview
        case _:
            return newest


@pytest.mark.parametrize("order", pb.ProposalOrder.values())
async def test_pages_show_each_proposal_once_and_in_order_while_more_come_in(
    order: int, world: World, job: Job, employer: Caller
) -> None:
    rates = {
        (await world.offered(job, rate)).proposal_id: rate for rate in (500, 300, 500, 900, 100)
    }
    seen: list[str] = []
    token = ""
    while True:
        page = await _page(
            world, employer, job_id=job.job_id, order=order, page_size=2, page_token=token
        )
        seen += _ids(page)
        token = page.next_page_token
        if not token:
            break
        await world.offered(job, 9_000)
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in rates] == _expected(order, rates)


async def test_a_list_is_narrowed_by_review_states_and_leaves_out_what_is_withdrawn(
    world: World, job: Job, employer: Caller
) -> None:
    maybe, declined, fresh, gone = [await world.offered(job) for _ in range(4)]
    await world.review(maybe, pb.REVIEW_STATE_MAYBE)
    await world.review(declined, pb.REVIEW_STATE_DECLINED)
    await world.withdraw(gone)
    undecided = [pb.REVIEW_STATE_UNREVIEWED, pb.REVIEW_STATE_MAYBE]
    for states, expected in (
        ([], [fresh, declined, maybe]),
        (undecided, [fresh, maybe]),
        ([pb.REVIEW_STATE_DECLINED], [declined]),
        ([pb.REVIEW_STATE_HIRED], []),
    ):
        page = await _page(world, employer, job_id=job.job_id, review_states=states)
        assert _ids(page) == [each.proposal_id for each in expected]


async def test_a_list_shows_each_proposal_as_a_read_of_it_does_also_one_of_before(
    world: World, job: Job, employer: Caller
) -> None:
    """What is kept as it was written and what is written anew are told apart by nobody."""
    fresh, declined, hired, held, of_before = offers = [await world.offered(job) for _ in range(5)]
    await world.review(declined, pb.REVIEW_STATE_DECLINED)
    for offered in (hired, held):
        await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
        await world.reserve(offered, f"hire-{offered.proposal_id}")
    await world.mark_hired(hired, f"hire-{hired.proposal_id}", "contract-1")
    async with world.database.begin() as tx:
        kept = sa.select(PROPOSAL.c.written).where(PROPOSAL.c.job_id == job.job_id)
        assert all(await tx.scalars(kept))
        at = PROPOSAL.c.proposal_id.in_([of_before.proposal_id, held.proposal_id])
        await tx.execute(sa.update(PROPOSAL).where(at).values(written=None))
    page = await _page(world, employer, job_id=job.job_id)
    alone = [await world.get(employer, offered.proposal_id) for offered in reversed(offers)]
    assert list(page.proposals) == alone
    assert [each.review_state for each in alone] == [
        pb.REVIEW_STATE_UNREVIEWED,
        pb.REVIEW_STATE_SHORTLISTED,
        pb.REVIEW_STATE_HIRED,
        pb.REVIEW_STATE_DECLINED,
        pb.REVIEW_STATE_UNREVIEWED,
    ]
    assert [bool(each.hire_id) for each in alone] == [False, True, False, False, False]
    assert fresh.proposal_id == alone[-1].proposal_id


async def test_the_best_match_comes_first(world: World, job: Job, employer: Caller) -> None:
    worst, best = await world.offered(job), await world.offered(job)
    async with world.database.begin() as tx:
        for offered, score in ((worst, 10), (best, 90)):
            at = PROPOSAL.c.proposal_id == offered.proposal_id
            await tx.execute(sa.update(PROPOSAL).where(at).values(match_score=score))
    page = await _page(world, employer, job_id=job.job_id, order=pb.PROPOSAL_ORDER_MATCH)
    assert _ids(page) == [best.proposal_id, worst.proposal_id]


async def test_counts_tell_every_state_of_what_is_live(
    world: World, job: Job, employer: Caller
) -> None:
    maybe, _, gone = [await world.offered(job) for _ in range(3)]
    await world.review(maybe, pb.REVIEW_STATE_MAYBE)
    await world.withdraw(gone)
    answer = await world.count(employer, job.job_id)
    counted = {each.review_state: each.count for each in answer.counts}
    expected = dict.fromkeys(pb.ReviewState.values()[1:], 0)
    ones = {pb.REVIEW_STATE_MAYBE: 1, pb.REVIEW_STATE_UNREVIEWED: 1}
    assert (counted, answer.total) == ({**expected, **ones}, 2)


async def test_a_page_token_is_bound_to_its_caller_job_filter_and_order(
    world: World, job: Job, employer: Caller
) -> None:
    for _ in range(2):
        await world.offered(job)
    of_job = {"job_id": job.job_id, "page_size": 1}
    token = (await _page(world, employer, **of_job)).next_page_token
    assert token
    other = await world.job(organisation_id=job.organisation_id)
    colleague = world.by(Kind.EMPLOYER, job.organisation_id)
    for caller, fields in (
        (colleague, {}),
        (employer, {"job_id": other.job_id}),
        (employer, {"order": pb.PROPOSAL_ORDER_RATE}),
        (employer, {"review_states": [pb.REVIEW_STATE_MAYBE]}),
        (employer, {"text": "wards"}),
        (employer, {"country": "DE"}),
        (employer, {"page_token": "made-up"}),
        (employer, {"page_size": -1}),
    ):
        asked = {**of_job, "page_token": token, **fields}
        told = await refusal(_page(world, caller, **asked))
        assert told.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_every_bad_filter_is_named_in_one_answer(world: World, employer: Caller) -> None:
    told = await refusal(
        _page(
            world,
            employer,
            review_states=[1, 77],
            order=77,
            minimum_interview_score=101,
            country="Germany",
            text="\0",
            rate=pb.RateRange(minimum_minor_units=2, maximum_minor_units=1),
        )
    )
    assert [violation.field for violation in told.violations] == [
        "job_id",
        "review_states[1]",
        "minimum_interview_score",
        "country",
        "rate.unit",
        "rate.maximum_minor_units",
        "text",
        "order",
    ]


async def _rows_read(tx: AsyncConnection) -> int:
    """How many rows this transaction has read from the tables of proposals so far."""
    query = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint"
    where = "FROM pg_stat_xact_user_tables WHERE schemaname = 'proposals'"
    return int(await tx.scalar(sa.text(f"{query} {where}")) or 0)


async def _crowd(world: World, one: Offered, count: int) -> None:
    """Fill a job with proposals: of eight, seven are declined; every fifth is withdrawn."""
    async with world.database.begin() as tx:
        found = await tx.execute(
            sa.select(PROPOSAL).where(PROPOSAL.c.proposal_id == one.proposal_id)
        )
        row, now = found.one()._asdict(), datetime.now(UTC)
        rows = [
            {
                **row,
                "proposal_id": new_id("p"),
                "trainer_id": new_id("tr"),
                "rate": 1 + number * 7919 % count,
                "match_score": number % 101,
                "review_state": ReviewState.DECLINED if number % 8 else ReviewState.SHORTLISTED,
                "withdrawn": number % 5 == 0,
                "interview_score": number % 102 - 1,
                "country": "US" if number % 7 == 0 else "DE",
                "message": f"Ward {number % 20}% of the time",
                "create_time": now + timedelta(seconds=number),
            }
            for number in range(count)
        ]
        await tx.execute(sa.insert(PROPOSAL), rows)
    async with world.database.begin() as tx:
        await tx.execute(sa.text(f"ANALYZE {PROPOSAL.fullname}"))


async def listed(
    tx: AsyncConnection, job: Job, wanted: Filter, order: Order, cursor: Cursor
) -> Page[Listed]:
    found = await listing.list_of_job(tx, job.job_id, wanted, order, cursor)
    assert found is not None
    return found.page


async def test_the_counts_of_a_list_are_those_of_its_moment_whatever_is_asked_for(
    world: World, job: Job
) -> None:
    await _crowd(world, await world.offered(job), 700)
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


async def test_a_page_reads_no_more_rows_in_a_crowd(world: World, job: Job) -> None:
    await _crowd(world, await world.offered(job), 3000)
    rare = frozenset({ReviewState.SHORTLISTED, ReviewState.HIRED})
    for order in Order:
        for states in (frozenset(ReviewState), rare):
            cursor = Cursor.read(10, "", order)
            for _ in range(3):
                async with world.database.begin() as tx:
                    before = await _rows_read(tx)
                    wanted = Filter(states)
                    page = await listed(tx, job, wanted, order, cursor)
                    read = await _rows_read(tx) - before
                assert len(page.items) == 10
                assert {proposal.review_state for proposal in page.items} <= states
                assert read < 150
                cursor = Cursor.read(10, page.next_token, order)


async def test_every_condition_narrows_a_list_and_pages_lead_through_all_that_meets_it(
    world: World, job: Job
) -> None:
    await _crowd(world, await world.offered(job), 3000)
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
                    page = await listed(tx, job, wanted, order, cursor)
                    assert await _rows_read(tx) - before < _MOST_LOOKED_AT
                    found += [proposal.proposal_id for proposal in page.items]
                    token, pages = page.next_token, pages + 1
                assert len(found) == len(set(found))
                assert set(found) == await _meeting(tx, job.job_id, wanted)


# Of six review states, twice, each a bounded scan, and the rows themselves.
_MOST_LOOKED_AT = 15_000


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
