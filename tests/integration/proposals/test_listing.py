"""Lists and counts of a job's proposals, page by page, while more come in."""

import grpc
import pytest
import sqlalchemy as sa

from deploy.local.journey import Caller
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from services.proposals.domain import Job
from services.proposals.store.tables import PROPOSAL
from tests.integration.proposals.world import World
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
