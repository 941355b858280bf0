"""What comes before a proposal where the job has a plan, and what employers see of it."""

import asyncio
from dataclasses import dataclass

import grpc
import pytest

from deploy.local.journey import Caller
from hireflow.proposals.v1 import screening_pb2 as pb
from hireflow.proposals.v1 import screening_pb2_grpc
from services.common.auth import Kind, Principal
from services.common.contact_details import REMOVED
from services.proposals.domain import Job, Question, ScreeningPlan
from services.proposals.use_cases.access import INTERVIEWER_ID
from services.proposals.use_cases.known_jobs import learn_invitations, learn_revocation
from tests.integration.proposals.world import World, new_id, offer
from tests.refusals import reason, refusal

QUESTIONS = (
    Question("years", "Years of work", "", required=True, type="NUMBER"),
    Question("tool", "Best tool", "", required=True, type="SINGLE_SELECT", options=("A", "B")),
    Question("work", "A sample", "", required=False, type="URL"),
    Question("line", "In one line", "", required=False, type="SHORT_TEXT"),
    Question("story", "More of it", "", required=False, type="LONG_TEXT"),
)
GOOD = (
    pb.ScreeningAnswer(key="years", number=4.5),
    pb.ScreeningAnswer(key="tool", option="B"),
    pb.ScreeningAnswer(key="work", url="https://example.com/work"),
    pb.ScreeningAnswer(key="story", text="Two wards.\nMail me: jo@example.com"),
)
INTERVIEW = pb.Interview(
    score=87,
    summary="Knows wards; call +49 30 1234567.",
    transcript=[
        pb.InterviewTurn(speaker=pb.INTERVIEW_SPEAKER_INTERVIEWER, text="Since when?"),
        pb.InterviewTurn(speaker=pb.INTERVIEW_SPEAKER_TRAINER, text="2019, see www.example.com"),
    ],
    mismatch_signals=["Said 7 years, answered 4.5"],
)


@dataclass(frozen=True, slots=True)
class Room:
    """A planned job, a trainer, the employer and the interviewer."""

    world: World
    job: Job
    trainer: Caller
    employer: Caller
    interviewer: Caller

    @property
    def stub(self) -> "screening_pb2_grpc.ScreeningServiceAsyncStub":
        return self.world.workspace.services.screening

    async def start(self, trainer: Caller | None = None) -> pb.OwnScreening:
        request = pb.StartScreeningRequest(request_id=new_id("r"), job_id=self.job.job_id)
        answer = await (trainer or self.trainer).call(self.stub.StartScreening, request)
        return answer.screening

    async def answer(
        self, screening_id: str, *answers: pb.ScreeningAnswer, final: bool = False
    ) -> pb.OwnScreening:
        request = pb.AnswerScreeningRequest(
            request_id=new_id("r"), screening_id=screening_id, answers=answers, final=final
        )
        return (await self.trainer.call(self.stub.AnswerScreening, request)).screening

    async def record(
        self, screening_id: str, interview: pb.Interview = INTERVIEW, plan_version: int = 0
    ) -> bool:
        request = pb.RecordInterviewRequest(
            request_id=new_id("r"),
            screening_id=screening_id,
            interview=interview,
            plan_version=plan_version,
        )
        return (await self.interviewer.call(self.stub.RecordInterview, request)).complete

    async def own(self) -> pb.OwnScreening:
        request = pb.GetOwnScreeningRequest(job_id=self.job.job_id)
        return (await self.trainer.call(self.stub.GetOwnScreening, request)).screening

    async def seen(self, caller: Caller, screening_id: str) -> pb.Screening:
        request = pb.GetScreeningRequest(screening_id=screening_id)
        return (await caller.call(self.stub.GetScreening, request)).screening

    async def replan(self, *questions: Question, version: int = 2) -> None:
        await self.world.learn(self.job, plan=ScreeningPlan(version, questions))

    async def events(self, screening_id: str) -> list[str]:
        return await self.world.events(screening_id, "screening")


@pytest.fixture
async def room(world: World) -> Room:
    job = await world.job(plan=ScreeningPlan(1, QUESTIONS))
    interviewer = world.workspace.known(Principal(Kind.SERVICE, INTERVIEWER_ID))
    employer = world.by(Kind.EMPLOYER, job.organisation_id)
    return Room(world, job, await world.trainer(), employer, interviewer)


async def test_a_proposal_waits_for_a_complete_screening_and_shows_what_it_found(
    room: Room,
) -> None:
    submitting, world = offer(room.job.job_id), room.world
    assert await reason(world.submit(room.trainer, submitting)) == "SCREENING_INCOMPLETE"
    screening = await room.start()
    await room.answer(screening.screening_id, *GOOD, final=True)
    assert await reason(world.submit(room.trainer, submitting)) == "SCREENING_INCOMPLETE"
    assert await room.record(screening.screening_id)
    own = await world.submit(room.trainer, submitting)
    proposal = await world.get(room.employer, own.proposal_id)
    assert (proposal.screening_id, proposal.interview_score) == (screening.screening_id, 87)
    assert list(proposal.mismatch_signals) == list(INTERVIEW.mismatch_signals)
    assert proposal.has_resume
    assert await room.events(screening.screening_id) == ["started", "completed"]


async def test_a_job_without_a_plan_takes_proposals_without_a_screening(world: World) -> None:
    offered = await world.offered()
    proposal = await world.get(offered.employer, offered.proposal_id)
    assert not proposal.HasField("interview_score")
    request = pb.StartScreeningRequest(request_id=new_id("r"), job_id=offered.job.job_id)
    starting = offered.trainer.call(world.workspace.services.screening.StartScreening, request)
    assert await reason(starting) == "NO_SCREENING_PLAN"


async def test_employers_see_a_complete_screening_without_contact_details(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    await room.record(screening_id)
    assert await reason(room.seen(room.employer, screening_id)) == "NOT_FOUND"
    await room.answer(screening_id, *GOOD, final=True)
    seen = await room.seen(room.employer, screening_id)
    assert seen.candidate.display_name == "Jordan L."
    assert [answer.key for answer in seen.answers] == ["years", "tool", "work", "story"]
    assert seen.answers[0].number == GOOD[0].number
    assert seen.answers[2].url == "https://example.com/work"
    assert seen.answers[3].text == f"Two wards.\nMail me: {REMOVED}"
    assert seen.interview.summary == f"Knows wards; call {REMOVED}."
    assert seen.interview.transcript[1].text == f"2019, see {REMOVED}"
    stranger = room.world.by(Kind.EMPLOYER, new_id("org"))
    assert await reason(room.seen(stranger, screening_id)) == "NOT_FOUND"


async def test_the_interviewer_alone_reads_what_is_answered_so_far(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, *GOOD[:2])
    seen = await room.seen(room.interviewer, screening_id)
    assert (seen.plan_version, len(seen.fields)) == (1, len(QUESTIONS))
    assert list(seen.answers) == list(GOOD[:2])
    assert seen.candidate.display_name == "Jordan L."
    assert not seen.HasField("interview")
    assert not seen.HasField("complete_time")
    for caller in (room.employer, room.world.by(Kind.SERVICE), room.world.by(Kind.OPERATOR)):
        assert await reason(room.seen(caller, screening_id)) == "NOT_FOUND"


async def test_every_wrong_answer_is_named_at_once_and_none_is_saved(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    wrong = (
        pb.ScreeningAnswer(key="years", number=float("nan")),
        pb.ScreeningAnswer(key="tool", option="C"),
        pb.ScreeningAnswer(key="work", url="javascript:alert(1)"),
        pb.ScreeningAnswer(key="line", text="two\nlines"),
        pb.ScreeningAnswer(key="story", number=3),
        pb.ScreeningAnswer(key="nobody", text="?"),
        pb.ScreeningAnswer(key="story", text="fine"),
    )
    told = await refusal(room.answer(screening_id, *wrong, final=True))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in told.violations] == [
        "answers[0].number",
        "answers[1].option",
        "answers[2].url",
        "answers[3].text",
        "answers[4]",
        "answers[5].key",
        "answers[6].key",
        "answers",
    ]
    assert not (await room.own()).answers


async def test_answers_are_saved_piece_by_piece_taken_back_and_then_final(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, *GOOD[:2])
    await room.answer(screening_id, GOOD[2], pb.ScreeningAnswer(key="tool"))
    assert [answer.key for answer in (await room.own()).answers] == ["years", "work"]
    missing = await refusal(room.answer(screening_id, final=True))
    assert [violation.description for violation in missing.violations] == ["must have one for tool"]
    final = await room.answer(screening_id, GOOD[1], final=True)
    assert (final.answers_final, final.interviewed, final.complete) == (True, False, False)
    assert await reason(room.answer(screening_id, GOOD[0])) == "ANSWERS_FINAL"


async def test_twenty_starts_at_once_are_one_screening(room: Room) -> None:
    started = await asyncio.gather(*(room.start() for _ in range(20)))
    assert len({each.screening_id for each in started}) == 1
    assert await room.events(started[0].screening_id) == ["started"]


async def test_the_first_record_of_an_interview_stands(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, *GOOD, final=True)
    recorded = await asyncio.gather(*(room.record(screening_id) for _ in range(20)))
    assert recorded == [True] * 20
    assert await reason(room.record(screening_id, pb.Interview(score=88))) == "INTERVIEW_RECORDED"
    assert (await room.seen(room.employer, screening_id)).interview.score == INTERVIEW.score
    assert await room.events(screening_id) == ["started", "completed"]


async def test_only_the_interviewer_records_and_every_bad_field_is_named(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    request = pb.RecordInterviewRequest(
        request_id=new_id("r"), screening_id=screening_id, interview=INTERVIEW
    )
    for caller in (room.world.by(Kind.SERVICE), room.employer, room.trainer):
        assert await reason(caller.call(room.stub.RecordInterview, request)) == "CALLER_NOT_ALLOWED"
    turn = pb.InterviewTurn(text="\0")
    bad = pb.Interview(score=101, transcript=[turn], mismatch_signals=[" "])
    told = await refusal(room.record(screening_id, bad))
    assert [violation.field.removeprefix("interview.") for violation in told.violations] == [
        "score",
        "transcript[0].speaker",
        "transcript[0].text",
        "mismatch_signals[0]",
    ]
    speaking = pb.InterviewTurn(speaker=pb.INTERVIEW_SPEAKER_TRAINER, text="ü" * 13_000)
    told = await refusal(room.record(screening_id, pb.Interview(transcript=[speaking] * 11), -1))
    assert [violation.field for violation in told.violations] == [
        "interview.transcript",
        "plan_version",
    ]


async def test_a_changed_plan_asks_an_open_screening_to_begin_anew_with_the_answers_that_fit(
    room: Room,
) -> None:
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, *GOOD[:2])
    other = Question("tool", "Best tool", "", required=True, type="SINGLE_SELECT", options=("A",))
    await room.replan(QUESTIONS[0], other)
    assert (await room.own()).plan_changed
    assert await reason(room.answer(screening_id, GOOD[0])) == "SCREENING_PLAN_CHANGED"
    anew = await room.start()
    assert (anew.screening_id, anew.plan_version, anew.plan_changed) == (screening_id, 2, False)
    assert [answer.key for answer in anew.answers] == ["years"]
    assert await room.events(screening_id) == ["started", "started"]


async def test_an_interview_by_a_plan_that_changed_is_dropped_and_never_completes_the_new_one(
    room: Room,
) -> None:
    screening_id = (await room.start()).screening_id
    assert not await room.record(screening_id, plan_version=1)
    await room.replan(QUESTIONS[0])
    assert (await room.own()).interviewed
    assert not (await room.start()).interviewed
    late = await refusal(room.record(screening_id, plan_version=1))
    assert (late.code, late.reason) == (grpc.StatusCode.ABORTED, "SCREENING_PLAN_CHANGED")
    assert not (await room.answer(screening_id, GOOD[0], final=True)).complete
    assert await room.record(screening_id, pb.Interview(score=33), plan_version=2)
    assert (await room.seen(room.employer, screening_id)).interview.score == 33
    assert await room.events(screening_id) == ["started", "started", "completed"]


async def test_each_write_under_the_same_request_gets_the_first_answer(room: Room) -> None:
    start = pb.StartScreeningRequest(request_id=new_id("r"), job_id=room.job.job_id)
    begun = await room.trainer.call(room.stub.StartScreening, start)
    screening_id = begun.screening.screening_id
    answer = pb.AnswerScreeningRequest(
        request_id=new_id("r"), screening_id=screening_id, answers=GOOD[:2]
    )
    record = pb.RecordInterviewRequest(
        request_id=new_id("r"), screening_id=screening_id, interview=INTERVIEW
    )
    answered = await room.trainer.call(room.stub.AnswerScreening, answer)
    recorded = await room.interviewer.call(room.stub.RecordInterview, record)
    await room.answer(screening_id, GOOD[2], final=True)
    events = await room.events(screening_id)
    for caller, method, request, first in (
        (room.trainer, room.stub.StartScreening, start, begun),
        (room.trainer, room.stub.AnswerScreening, answer, answered),
        (room.interviewer, room.stub.RecordInterview, record, recorded),
    ):
        assert await caller.call(method, request) == first
        key = "job_id" if request is start else "screening_id"
        setattr(request, key, "another")
        assert await reason(caller.call(method, request)) == "REQUEST_ID_REUSED"
    assert await room.events(screening_id) == events == ["started", "completed"]


async def test_who_is_invited_no_more_can_answer_no_more(room: Room) -> None:
    world, trainer = room.world, room.trainer
    async with world.database.begin() as tx:
        await learn_invitations(tx, room.job.job_id, [trainer.id])
    await world.learn(room.job, visibility="INVITE_ONLY")
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, GOOD[0])
    async with world.database.begin() as tx:
        await learn_revocation(tx, room.job.job_id, trainer.id)
    assert await reason(room.answer(screening_id, GOOD[1], final=True)) == "NOT_FOUND"
    assert [answer.key for answer in (await room.own()).answers] == ["years"]


async def test_a_changed_plan_leaves_final_answers_and_complete_screenings_as_they_were(
    room: Room,
) -> None:
    screening_id = (await room.start()).screening_id
    await room.answer(screening_id, *GOOD, final=True)
    await room.replan()
    assert await room.record(screening_id)
    before = await room.seen(room.employer, screening_id)
    await room.replan(QUESTIONS[0], version=3)
    assert (await room.start()).plan_version == 1
    assert await room.seen(room.employer, screening_id) == before
    assert (await room.world.submit(room.trainer, offer(room.job.job_id))).proposal_id


async def test_nobody_reaches_another_trainers_screening(room: Room) -> None:
    screening_id = (await room.start()).screening_id
    other = await room.world.trainer()
    request = pb.AnswerScreeningRequest(request_id=new_id("r"), screening_id=screening_id)
    assert await reason(other.call(room.stub.AnswerScreening, request)) == "NOT_FOUND"
    reading = pb.GetOwnScreeningRequest(job_id=room.job.job_id)
    assert await reason(other.call(room.stub.GetOwnScreening, reading)) == "NOT_FOUND"


async def test_a_screening_needs_a_profile_and_an_open_job(room: Room) -> None:
    assert await reason(room.start(room.world.by(Kind.TRAINER))) == "PROFILE_MISSING"
    await room.world.learn(room.job, state="HIRING_DONE")
    assert await reason(room.start()) == "JOB_NOT_OPEN"
