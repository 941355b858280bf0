"""What trainers do: profiles, submitting, withdrawing, and what they see of their proposals."""

import asyncio
from dataclasses import replace

import grpc
import pytest

from hireflow.common.v1 import money_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from services.common.auth import Kind
from tests.integration.proposals.world import PROFILE, Offered, World, new_id, offer
from tests.refusals import reason, refusal


async def test_a_profile_is_read_as_it_was_written_last(world: World) -> None:
    trainer = world.by(Kind.TRAINER)
    assert await reason(trainer.call(world.stub.GetProfile, pb.GetProfileRequest())) == "NOT_FOUND"
    for title in ("Nurse", "Physician"):
        profile = pb.Profile()
        profile.CopyFrom(PROFILE)
        profile.title = title
        profile.trainer_id = "somebody else"
        request = pb.UpsertProfileRequest(request_id=new_id("r"), profile=profile)
        written = (await trainer.call(world.stub.UpsertProfile, request)).profile
    read = (await trainer.call(world.stub.GetProfile, pb.GetProfileRequest())).profile
    assert read == written
    assert (read.title, read.trainer_id) == ("Physician", trainer.id)


async def test_every_bad_field_of_a_profile_is_named_at_once(world: World) -> None:
    bad = pb.Profile(
        first_name=" ",
        last_name="x" * 101,
        country="Germany",
        title="two\nlines",
        languages=["?", "en", "EN"],
        skills=["Loud", "x" * 65],
        resume_reference="https://example.org/cv",
    )
    call = world.by(Kind.TRAINER).call(
        world.stub.UpsertProfile, pb.UpsertProfileRequest(profile=bad)
    )
    told = await refusal(call)
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS")
    assert [violation.field for violation in told.violations] == [
        "request_id",
        "profile.first_name",
        "profile.last_name",
        "profile.title",
        "profile.country",
        "profile.languages",
        "profile.languages[0]",
        "profile.skills[0]",
        "profile.skills[1]",
        "profile.resume_reference",
    ]


async def test_every_bad_field_of_a_proposal_is_named_at_once(world: World) -> None:
    rate = pb.Rate(amount=money_pb2.Money(minor_units=-1, currency_code="EUR"))
    request = pb.SubmitProposalRequest(message="nul \x00", summary="x" * 20_001, rate=rate)
    told = await refusal(world.by(Kind.TRAINER).call(world.stub.SubmitProposal, request))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in told.violations] == [
        "request_id",
        "job_id",
        "message",
        "summary",
        "rate.amount.minor_units",
        "rate.amount.currency_code",
        "rate.unit",
    ]


async def test_a_trainer_sees_what_it_submitted_and_nothing_of_the_review(
    world: World, offered: Offered
) -> None:
    await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
    request = pb.GetOwnProposalRequest(proposal_id=offered.proposal_id)
    own = (await offered.trainer.call(world.stub.GetOwnProposal, request)).proposal
    sent = offer(offered.job.job_id)
    assert own == pb.OwnProposal(
        proposal_id=offered.proposal_id,
        job_id=sent.job_id,
        message=sent.message,
        summary=sent.summary,
        rate=sent.rate,
        status=pb.PROPOSAL_STATUS_PENDING,
        create_time=own.create_time,
    )


async def test_fifty_equal_submissions_are_one_proposal_and_fifty_equal_answers(
    world: World,
) -> None:
    job, trainer = await world.job(), await world.trainer()
    request = offer(job.job_id)
    answers = await asyncio.gather(*(world.submit(trainer, request) for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    employer = world.by(Kind.EMPLOYER, job.organisation_id)
    assert (await world.count(employer, job.job_id)).total == 1
    assert await world.events(answers[0].proposal_id) == ["submitted"]


async def test_of_twenty_different_submissions_at_once_one_is_the_proposal(world: World) -> None:
    job, trainer = await world.job(), await world.trainer()
    calls = [world.submit(trainer, offer(job.job_id, 100 + number)) for number in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, pb.OwnProposal)]) == 1
    assert await reason(world.submit(trainer, offer(job.job_id))) == "PROPOSAL_EXISTS"


async def test_a_used_request_id_is_good_for_no_other_proposal(world: World) -> None:
    job, trainer = await world.job(), await world.trainer()
    request = offer(job.job_id)
    await world.submit(trainer, request)
    request.rate.amount.minor_units += 1
    assert await reason(world.submit(trainer, request)) == "REQUEST_ID_REUSED"


@pytest.mark.parametrize("hidden", [{"state": "DRAFT"}, {"visibility": "INVITE_ONLY"}])
async def test_a_job_that_trainers_may_not_know_of_does_not_exist(
    hidden: dict[str, str], world: World
) -> None:
    job, trainer = await world.job(**hidden), await world.trainer()
    for job_id in (job.job_id, new_id("job")):
        assert await reason(world.submit(trainer, offer(job_id))) == "NOT_FOUND"


@pytest.mark.parametrize("state", ["HIRING_DONE", "ARCHIVED"])
async def test_a_job_that_is_not_open_takes_no_proposal(state: str, world: World) -> None:
    job, trainer = await world.job(state=state), await world.trainer()
    assert await reason(world.submit(trainer, offer(job.job_id))) == "JOB_NOT_OPEN"


async def test_an_unlisted_job_takes_proposals(world: World) -> None:
    job, trainer = await world.job(visibility="UNLISTED"), await world.trainer()
    assert (await world.submit(trainer, offer(job.job_id))).proposal_id


async def test_nobody_submits_without_a_profile(world: World) -> None:
    job, trainer = await world.job(), world.by(Kind.TRAINER)
    assert await reason(world.submit(trainer, offer(job.job_id))) == "PROFILE_MISSING"


async def test_a_proposal_shows_the_profile_as_it_was_when_submitted(
    world: World, offered: Offered
) -> None:
    before = await world.get(offered.employer, offered.proposal_id)
    changed = pb.Profile()
    changed.CopyFrom(PROFILE)
    changed.last_name, changed.country, changed.title = "Novak", "US", "Retired"
    changed.skills.append("writing")
    request = pb.UpsertProfileRequest(request_id=new_id("r"), profile=changed)
    await offered.trainer.call(world.stub.UpsertProfile, request)
    assert await world.get(offered.employer, offered.proposal_id) == before
    assert before.candidate == pb.Candidate(
        trainer_id=offered.trainer.id,
        display_name="Jordan L.",
        country="DE",
        title="Physician and annotator",
    )
    assert before.match == pb.Match(
        score=75,
        met=["language:en", "skill:medicine", "country:DE|US"],
        missing=["skill:writing"],
    )


async def test_who_withdrew_may_submit_again(world: World, offered: Offered) -> None:
    assert (await world.withdraw(offered)).status == pb.PROPOSAL_STATUS_WITHDRAWN
    assert await world.withdraw(offered) == await world.withdraw(offered)
    assert await world.events(offered.proposal_id) == ["submitted", "withdrawn"]
    again = await world.submit(offered.trainer, offer(offered.job.job_id))
    assert again.proposal_id != offered.proposal_id
    assert await world.status(offered) == "WITHDRAWN"


async def test_done_hiring_closes_what_is_undecided_and_reopening_brings_it_back(
    world: World, offered: Offered
) -> None:
    declined, withdrawn = await world.offered(offered.job), await world.offered(offered.job)
    await world.review(offered, pb.REVIEW_STATE_SHORTLISTED)
    await world.review(declined, pb.REVIEW_STATE_DECLINED)
    await world.withdraw(withdrawn)
    for state, seen in (
        ("PUBLISHED", "PENDING"),
        ("HIRING_DONE", "CLOSED"),
        ("PUBLISHED", "PENDING"),
        ("ARCHIVED", "CLOSED"),
    ):
        await world.learn(replace(offered.job, state=state))
        assert await world.status(offered) == seen
        assert await world.status(declined) == "DECLINED"
        assert await world.status(withdrawn) == "WITHDRAWN"
    kept = await world.get(offered.employer, offered.proposal_id)
    assert kept.review_state == pb.REVIEW_STATE_SHORTLISTED


async def test_a_trainer_lists_its_own_proposals_newest_first_withdrawn_ones_too(
    world: World, offered: Offered
) -> None:
    mine = [offered.proposal_id]
    await world.withdraw(offered)
    for _ in range(4):
        job = await world.job()
        await world.offered(job)
        own = await world.submit(offered.trainer, offer(job.job_id))
        mine.insert(0, own.proposal_id)
    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListOwnProposalsRequest(page_size=2, page_token=token)
        page = await offered.trainer.call(world.stub.ListOwnProposals, request)
        seen += [own.proposal_id for own in page.proposals]
        token = page.next_page_token
        if not token:
            break
        stranger = await refusal(
            (await world.trainer()).call(
                world.stub.ListOwnProposals, pb.ListOwnProposalsRequest(page_token=token)
            )
        )
        assert stranger.code is grpc.StatusCode.INVALID_ARGUMENT
    assert seen == mine
