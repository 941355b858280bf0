"""The View Proposal screen: everything around a proposal in one call."""

import grpc
import pytest

from hireflow.hiring.v1 import hire_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2 as pb
from hireflow.proposals.v1 import proposal_view_pb2, screening_pb2
from services.common.auth import Kind, Principal
from services.proposals.domain import Question, ScreeningPlan
from services.proposals.use_cases.access import INTERVIEWER_ID
from tests.integration.proposals.world import PROFILE, Offered, World, new_id, offer
from tests.refusals import reason, refusal
from tests.waiting import until

PLAN = ScreeningPlan(1, (Question("years", "Years", "", required=True, type="NUMBER"),))


async def _view(
    world: World, offered: Offered, kind: Kind = Kind.EMPLOYER
) -> proposal_view_pb2.ViewProposalResponse:
    request = proposal_view_pb2.ViewProposalRequest(proposal_id=offered.proposal_id)
    member = kind in {Kind.EMPLOYER, Kind.AGENT}
    caller = world.by(kind, offered.job.organisation_id if member else None)
    return await caller.call(world.workspace.services.view.ViewProposal, request)


async def _note(world: World, offered: Offered, text: str) -> None:
    request = pb.AddNoteRequest(request_id=new_id("r"), proposal_id=offered.proposal_id, text=text)
    await offered.employer.call(world.stub.AddNote, request)


async def _screened(world: World) -> Offered:
    """A proposal that came after answers and an interview."""
    job, trainer = await world.job(plan=PLAN), await world.trainer()
    stub = world.workspace.services.screening
    begin = screening_pb2.StartScreeningRequest(request_id=new_id("r"), job_id=job.job_id)
    screening_id = (await trainer.call(stub.StartScreening, begin)).screening.screening_id
    answers = screening_pb2.AnswerScreeningRequest(
        request_id=new_id("r"),
        screening_id=screening_id,
        answers=[screening_pb2.ScreeningAnswer(key="years", number=4.5)],
        final=True,
    )
    await trainer.call(stub.AnswerScreening, answers)
    said = screening_pb2.InterviewTurn(
        speaker=screening_pb2.INTERVIEW_SPEAKER_TRAINER, text="Since 2019."
    )
    record = screening_pb2.RecordInterviewRequest(
        request_id=new_id("r"),
        screening_id=screening_id,
        interview=screening_pb2.Interview(score=87, summary="Knows wards.", transcript=[said]),
    )
    interviewer = world.workspace.known(Principal(Kind.SERVICE, INTERVIEWER_ID))
    await interviewer.call(stub.RecordInterview, record)
    own = await world.submit(trainer, offer(job.job_id))
    return Offered(own.proposal_id, job, trainer, world.by(Kind.EMPLOYER, job.organisation_id))


async def test_everything_about_a_candidate_is_on_one_screen(world: World) -> None:
    offered = await _screened(world)
    await _note(world, offered, "Ask about wards.")
    opening = thread_pb2.OpenProposalThreadRequest(
        request_id=new_id("r"), proposal_id=offered.proposal_id
    )
    messaging = world.workspace.services.messaging
    opened = await offered.employer.call_when_known(messaging.OpenProposalThread, opening)

    async def thread_known() -> bool:
        return bool((await _view(world, offered)).thread_id)

    await until(thread_known)
    seen = await _view(world, offered)
    assert seen.proposal == await world.get(offered.employer, offered.proposal_id)
    assert seen.thread_id == opened.thread.thread_id
    assert [(each.key, each.number) for each in seen.screening.answers] == [("years", 4.5)]
    assert seen.screening.interview.transcript[0].text == "Since 2019."
    assert [note.text for note in seen.notes] == ["Ask about wards."]
    assert (seen.profile.country, seen.profile.skills) == (PROFILE.country, PROFILE.skills)
    assert seen.profile.has_resume
    assert PROFILE.last_name not in str(seen)
    assert PROFILE.resume_reference not in str(seen)
    assert not seen.HasField("hire")


async def test_before_a_screening_a_thread_and_a_hire_the_screen_says_so(
    world: World, offered: Offered
) -> None:
    seen = await _view(world, offered)
    assert not seen.HasField("screening")
    assert not seen.HasField("hire")
    assert (seen.thread_id, list(seen.notes), seen.next_notes_page_token) == ("", [], "")


async def test_older_notes_are_asked_for_by_the_token_of_the_screen(
    world: World, offered: Offered
) -> None:
    for number in range(52):
        await _note(world, offered, f"note {number}")
    request = proposal_view_pb2.ViewProposalRequest(proposal_id=offered.proposal_id)
    seen = await offered.employer.call(world.workspace.services.view.ViewProposal, request)
    assert [note.text for note in seen.notes] == [f"note {n}" for n in range(51, 1, -1)]
    older = pb.ListNotesRequest(
        proposal_id=offered.proposal_id, page_token=seen.next_notes_page_token
    )
    rest = await offered.employer.call(world.stub.ListNotes, older)
    assert [note.text for note in rest.notes] == ["note 1", "note 0"]


async def test_the_last_hire_is_shown_with_what_came_of_it(world: World, offered: Offered) -> None:
    async def shown() -> tuple[str, int, str]:
        hire = (await _view(world, offered)).hire
        return hire.hire_id, hire.state, hire.contract_id

    first, second = new_id("h"), new_id("h")
    await world.reserve(offered, first)
    assert await shown() == (first, hire_pb2.HIRE_STATE_RUNNING, "")
    await world.release(offered, first)
    assert await shown() == (first, hire_pb2.HIRE_STATE_UNDONE, "")
    await world.reserve(offered, second)
    assert await shown() == (second, hire_pb2.HIRE_STATE_RUNNING, "")
    await world.mark_hired(offered, second, "c-1")
    assert await shown() == (second, hire_pb2.HIRE_STATE_HIRED, "c-1")
    assert (await _view(world, offered)).hire.HasField("reserve_time")


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.OPERATOR, Kind.SERVICE])
async def test_who_reads_for_the_organisation_sees_the_same_screen(
    kind: Kind, world: World, offered: Offered
) -> None:
    assert await _view(world, offered, kind) == await _view(world, offered)


async def test_trainers_and_strangers_see_no_screen(world: World, offered: Offered) -> None:
    request = proposal_view_pb2.ViewProposalRequest(proposal_id=offered.proposal_id)
    view = world.workspace.services.view.ViewProposal
    stranger = world.by(Kind.EMPLOYER, new_id("org"))
    told = await refusal(stranger.call(view, request))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    request.proposal_id = new_id("p")
    assert await reason(stranger.call(view, request)) == "NOT_FOUND"
    assert await reason(offered.trainer.call(view, request)) == "CALLER_NOT_ALLOWED"
    request.proposal_id = ""
    assert await reason(offered.employer.call(view, request)) == "INVALID_FIELDS"
