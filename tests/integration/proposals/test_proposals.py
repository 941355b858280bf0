"""ProposalsService on the real parts: offering, reviewing, and what a hire does."""

import asyncio

import grpc
import pytest

from deploy.local.journey import Caller, Journey, new_id
from hireflow.common.v1 import money_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from services.proposals import store, wiring
from tests.integration.conftest import Workspace
from tests.migrations_check import assert_migrated
from tests.refusals import reason, refusal


@pytest.fixture
def hires(workspace: Workspace) -> Caller:
    return workspace.by(Kind.SERVICE)


async def reserve(
    journey: Journey, hires: Caller, hire_id: str, *, confirm_declined: bool = False
) -> pb.Proposal:
    seen = await read(journey)
    request = pb.ReserveProposalRequest(
        request_id=new_id(),
        proposal_id=journey.proposal_id,
        hire_id=hire_id,
        organisation_id=seen.organisation_id,
        confirm_declined=confirm_declined,
    )
    return (await hires.call(journey.services.proposals.ReserveProposal, request)).proposal


async def release(journey: Journey, hires: Caller, hire_id: str) -> bool:
    request = pb.ReleaseProposalRequest(
        request_id=new_id(), proposal_id=journey.proposal_id, hire_id=hire_id
    )
    return (await hires.call(journey.services.proposals.ReleaseProposal, request)).released


async def mark_hired(
    journey: Journey, hires: Caller, hire_id: str, contract_id: str = "c-1"
) -> pb.Proposal:
    request = pb.MarkHiredRequest(
        request_id=new_id(),
        proposal_id=journey.proposal_id,
        hire_id=hire_id,
        contract_id=contract_id,
    )
    return (await hires.call(journey.services.proposals.MarkHired, request)).proposal


async def review(journey: Journey, state: pb.ReviewState.ValueType, etag: str = "") -> pb.Proposal:
    request = pb.SetReviewStateRequest(
        request_id=new_id(), proposal_id=journey.proposal_id, review_state=state, etag=etag
    )
    return (
        await journey.employer.call(journey.services.proposals.SetReviewState, request)
    ).proposal


async def read(journey: Journey) -> pb.Proposal:
    request = pb.GetProposalRequest(proposal_id=journey.proposal_id)
    return (await journey.employer.call(journey.services.proposals.GetProposal, request)).proposal


async def status(journey: Journey) -> str:
    request = pb.GetOwnProposalRequest(proposal_id=journey.proposal_id)
    answer = await journey.trainer.call(journey.services.proposals.GetOwnProposal, request)
    return pb.ProposalStatus.Name(answer.proposal.status).removeprefix("PROPOSAL_STATUS_")


async def until_status(journey: Journey, wanted: str) -> None:
    for _ in range(500):
        if await status(journey) == wanted:
            return
        await asyncio.sleep(0.02)  # the fact travels by event
    raise AssertionError(f"the trainer never saw {wanted}")


async def withdraw(journey: Journey) -> pb.OwnProposal:
    request = pb.WithdrawProposalRequest(request_id=new_id(), proposal_id=journey.proposal_id)
    return (
        await journey.trainer.call(journey.services.proposals.WithdrawProposal, request)
    ).proposal


async def test_the_migrated_schema_is_what_the_store_expects(workspace: Workspace) -> None:
    await assert_migrated(workspace.settings, wiring.SCHEMA, wiring.MIGRATIONS, store.METADATA)


async def test_an_employer_sees_a_masked_candidate_and_why_it_matches(
    workspace: Workspace,
) -> None:
    journey = await workspace.submitted()
    seen = await read(journey)
    assert seen.candidate.display_name == "Jordan L."
    assert (seen.match.score, list(seen.match.missing)) == (100, [])
    assert "Lee" not in str(seen)


async def test_fifty_equal_submissions_are_one_proposal_and_fifty_equal_answers(
    workspace: Workspace,
) -> None:
    journey = workspace.journey()
    await journey.publish_job()
    first = workspace.journey()
    first.job = journey.job
    await first.submit_proposal()  # until the job is known here
    other = Journey(workspace.services, journey.employer, first.trainer, journey.job)
    await workspace.services.proposals.WithdrawProposal(
        pb.WithdrawProposalRequest(request_id=new_id(), proposal_id=first.proposal_id),
        metadata=other.trainer.metadata,
    )
    request = pb.SubmitProposalRequest(
        request_id=new_id(),
        job_id=journey.job.job_id,
        message="Once.",
        rate=pb.Rate(
            amount=money_pb2.Money(minor_units=100, currency_code="USD"), unit=pb.RATE_UNIT_HOUR
        ),
    )
    answers = await asyncio.gather(
        *(
            other.trainer.call(workspace.services.proposals.SubmitProposal, request)
            for _ in range(50)
        )
    )
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    counted = await journey.employer.call(
        workspace.services.proposals.CountProposals,
        pb.CountProposalsRequest(job_id=journey.job.job_id),
    )
    assert counted.total == 1


async def test_a_second_live_proposal_on_a_job_is_refused(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    assert await reason(journey.submit_proposal()) == "PROPOSAL_EXISTS"


async def test_a_job_that_is_done_hiring_takes_no_proposal_and_closes_the_open_ones(
    workspace: Workspace,
) -> None:
    journey = await workspace.submitted()
    await journey.employer.call(
        workspace.services.jobs.FinishHiring,
        job_pb2.FinishHiringRequest(request_id=new_id(), job_id=journey.job.job_id),
    )
    await until_status(journey, "CLOSED")
    late = workspace.journey()
    late.job = journey.job
    assert await reason(late.submit_proposal()) == "JOB_NOT_OPEN"
    await journey.employer.call(
        workspace.services.jobs.ReopenHiring,
        job_pb2.ReopenHiringRequest(request_id=new_id(), job_id=journey.job.job_id),
    )
    await until_status(journey, "PENDING")


async def test_every_bad_field_of_a_profile_is_named_at_once(workspace: Workspace) -> None:
    trainer = workspace.by(Kind.TRAINER)
    told = await refusal(
        trainer.call(
            workspace.services.proposals.UpsertProfile,
            pb.UpsertProfileRequest(
                profile=pb.Profile(country="Germany", skills=["Loud"], languages=["?"])
            ),
        )
    )
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert {violation.field for violation in told.violations} == {
        "request_id",
        "profile.first_name",
        "profile.last_name",
        "profile.title",
        "profile.country",
        "profile.skills",
        "profile.languages",
    }


async def test_a_stale_etag_aborts_a_review(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    before = await read(journey)
    await review(journey, pb.REVIEW_STATE_MAYBE, before.etag)
    told = await refusal(review(journey, pb.REVIEW_STATE_DECLINED, before.etag))
    assert (told.code, told.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_hired_cannot_be_set_by_hand(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    told = await refusal(review(journey, pb.REVIEW_STATE_HIRED))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_reservation_stands_beside_the_review_and_leaves_no_trace_when_released(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    await review(journey, pb.REVIEW_STATE_SHORTLISTED)
    held = await reserve(journey, hires, "h-1-" + journey.proposal_id[:8])
    assert held.review_state == pb.REVIEW_STATE_SHORTLISTED
    assert held.hire_id
    assert await reason(review(journey, pb.REVIEW_STATE_DECLINED)) == "HIRE_IN_PROGRESS"
    assert await reason(withdraw(journey)) == "HIRE_IN_PROGRESS"
    assert await release(journey, hires, held.hire_id)
    assert not await release(journey, hires, held.hire_id)
    after = await read(journey)
    assert (after.review_state, after.hire_id) == (pb.REVIEW_STATE_SHORTLISTED, "")


async def test_of_twenty_hires_that_reserve_at_once_exactly_one_holds_the_proposal(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    answers = await asyncio.gather(
        *(reserve(journey, hires, new_id()) for _ in range(20)), return_exceptions=True
    )
    held = [answer for answer in answers if isinstance(answer, pb.Proposal)]
    assert len(held) == 1
    assert (await read(journey)).hire_id == held[0].hire_id


async def test_a_release_that_overtakes_its_reservation_refuses_it_for_ever(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    hire_id = new_id()
    assert not await release(journey, hires, hire_id)
    assert await reason(reserve(journey, hires, hire_id)) == "RESERVATION_RELEASED"
    assert (await reserve(journey, hires, new_id())).hire_id


async def test_a_declined_proposal_is_reserved_only_when_that_is_confirmed(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    await review(journey, pb.REVIEW_STATE_DECLINED)
    assert await status(journey) == "DECLINED"
    assert await reason(reserve(journey, hires, new_id())) == "PROPOSAL_DECLINED"
    assert (await reserve(journey, hires, new_id(), confirm_declined=True)).hire_id


async def test_a_withdrawn_proposal_is_neither_reserved_nor_listed(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    await withdraw(journey)
    assert await status(journey) == "WITHDRAWN"
    assert await reason(reserve(journey, hires, new_id())) == "PROPOSAL_WITHDRAWN"
    listed = await journey.employer.call(
        journey.services.proposals.ListProposals,
        pb.ListProposalsRequest(job_id=journey.job.job_id),
    )
    assert not listed.proposals


async def test_marking_hired_twice_under_new_requests_is_once(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    hire_id = new_id()
    await reserve(journey, hires, hire_id)
    first = await mark_hired(journey, hires, hire_id)
    second = await mark_hired(journey, hires, hire_id)
    assert first == second
    assert await status(journey) == "HIRED"
    assert await reason(mark_hired(journey, hires, hire_id, "c-2")) == "WRONG_STATE"
    assert await reason(release(journey, hires, hire_id)) == "WRONG_STATE"
    assert await reason(reserve(journey, hires, new_id())) == "ALREADY_HIRED"


async def test_pages_show_every_proposal_once_in_each_order(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    for _ in range(4):
        other = workspace.journey()
        other.job = journey.job
        await other.submit_proposal()
    for order in (pb.PROPOSAL_ORDER_NEWEST, pb.PROPOSAL_ORDER_MATCH, pb.PROPOSAL_ORDER_RATE):
        seen: list[str] = []
        token = ""
        while True:
            page = await journey.employer.call(
                workspace.services.proposals.ListProposals,
                pb.ListProposalsRequest(
                    job_id=journey.job.job_id, page_size=2, page_token=token, order=order
                ),
            )
            seen += [proposal.proposal_id for proposal in page.proposals]
            token = page.next_page_token
            if not token:
                break
        assert len(seen) == len(set(seen)) == 5


async def test_what_belongs_to_another_organisation_does_not_exist(
    workspace: Workspace, hires: Caller
) -> None:
    journey = await workspace.submitted()
    stranger = workspace.by(Kind.EMPLOYER, "org-stranger")
    proposals = workspace.services.proposals
    reading = pb.GetProposalRequest(proposal_id=journey.proposal_id)
    assert await reason(stranger.call(proposals.GetProposal, reading)) == "NOT_FOUND"
    listing = pb.ListProposalsRequest(job_id=journey.job.job_id)
    assert await reason(stranger.call(proposals.ListProposals, listing)) == "NOT_FOUND"
    another = workspace.by(Kind.TRAINER)
    own = pb.GetOwnProposalRequest(proposal_id=journey.proposal_id)
    assert await reason(another.call(proposals.GetOwnProposal, own)) == "NOT_FOUND"
    assert await reason(another.call(proposals.GetProposal, reading)) == "CALLER_NOT_ALLOWED"
    reserving = pb.ReserveProposalRequest(
        request_id=new_id(),
        proposal_id=journey.proposal_id,
        hire_id=new_id(),
        organisation_id="org-stranger",
    )
    assert await reason(hires.call(proposals.ReserveProposal, reserving)) == "NOT_FOUND"
