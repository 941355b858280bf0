"""Screenings as the proto writes them: to and from the domain, every bad field noted."""

from collections.abc import Iterable, Mapping, Sequence

from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import screening_pb2 as pb
from services.common.errors import Problems
from services.proposals.domain import (
    Answer,
    AnswerKind,
    Given,
    Interview,
    OwnScreening,
    Question,
    Screening,
    ScreeningPlan,
    Speaker,
    Turn,
)
from services.proposals.wire import (
    LIST_LIMIT,
    TITLE_LIMIT,
    candidate_message,
    check_line,
    check_text,
    timestamp,
)

ANSWER_LIMIT = 200
TURN_LIMIT = 1000
# Of all turns together, so that whoever reads the screening gets it in one message.
TRANSCRIPT_BYTES = 256 * 1024
_SPEAKERS: dict[int, Speaker] = {
    pb.InterviewSpeaker.Value(f"INTERVIEW_SPEAKER_{speaker}"): speaker for speaker in Speaker
}
# One that is new to us is kept as its number, which is no name: unspecified.
_TYPES = {
    name.removeprefix("SCREENING_FIELD_TYPE_"): value
    for name, value in job_pb2.ScreeningFieldType.items()
}


def read_answers(messages: Sequence[pb.ScreeningAnswer], noted: Problems) -> list[Given]:
    """Read answers; what each must be, its field in the plan says."""
    few = len(messages) <= ANSWER_LIMIT
    noted.require(few, "answers", f"must have at most {ANSWER_LIMIT} entries")
    return [_given(message) for message in messages[:ANSWER_LIMIT]]


def _given(message: pb.ScreeningAnswer) -> Given:
    kind = message.WhichOneof("value")
    if kind is None:
        return Given(message.key, None, "")
    return Given(message.key, AnswerKind(kind.upper()), getattr(message, kind))


def read_interview(message: pb.Interview, noted: Problems) -> Interview:
    """Read what an interview found, noting every bad field."""
    noted.require(0 <= message.score <= 100, "interview.score", "must be 0 to 100")
    check_text("interview.summary", message.summary, noted)
    turns = message.transcript[:TURN_LIMIT]
    few = len(message.transcript) <= TURN_LIMIT
    noted.require(few, "interview.transcript", f"must have at most {TURN_LIMIT:,} turns")
    short = sum(len(turn.text.encode()) for turn in turns) <= TRANSCRIPT_BYTES
    noted.require(short, "interview.transcript", "must have at most 256 KiB of text")
    for index, turn in enumerate(turns):
        field = f"interview.transcript[{index}]"
        noted.require(turn.speaker in _SPEAKERS, f"{field}.speaker", "must be a known speaker")
        check_text(f"{field}.text", turn.text, noted)
    signals = message.mismatch_signals[:LIST_LIMIT]
    few = len(message.mismatch_signals) <= LIST_LIMIT
    noted.require(few, "interview.mismatch_signals", f"must have at most {LIST_LIMIT} entries")
    for index, signal in enumerate(signals):
        check_line(f"interview.mismatch_signals[{index}]", signal, TITLE_LIMIT, noted)
    return Interview(
        score=message.score,
        summary=message.summary,
        transcript=tuple(
            Turn(_SPEAKERS.get(turn.speaker, Speaker.TRAINER), turn.text) for turn in turns
        ),
        mismatch_signals=tuple(signals),
    )


def own_screening_message(own: OwnScreening) -> pb.OwnScreening:
    """Write a screening as its trainer sees it: without what the interview found."""
    screening = own.screening
    complete = screening.complete_time
    return pb.OwnScreening(
        screening_id=screening.screening_id,
        job_id=screening.job_id,
        plan_version=screening.plan.version,
        fields=field_messages(screening.plan.questions),
        answers=answer_messages(screening.plan, screening.answers),
        answers_final=screening.answers_final,
        interviewed=screening.interview is not None,
        complete=complete is not None,
        plan_changed=own.plan_changed,
        create_time=timestamp(screening.create_time),
        complete_time=None if complete is None else timestamp(complete),
    )


def screening_message(screening: Screening) -> pb.Screening:
    """Write a screening as its employer sees it."""
    complete = screening.complete_time
    return pb.Screening(
        screening_id=screening.screening_id,
        job_id=screening.job_id,
        organisation_id=screening.organisation_id,
        candidate=candidate_message(screening.candidate),
        plan_version=screening.plan.version,
        fields=field_messages(screening.plan.questions),
        answers=answer_messages(screening.plan, screening.answers),
        interview=_interview_message(screening),
        create_time=timestamp(screening.create_time),
        complete_time=None if complete is None else timestamp(complete),
    )


def field_messages(questions: Iterable[Question]) -> list[job_pb2.ScreeningField]:
    """Write a plan's questions in the words of jobs."""
    return [
        job_pb2.ScreeningField(
            key=question.key,
            label=question.label,
            description=question.description,
            required=question.required,
            type=_TYPES.get(question.type, job_pb2.SCREENING_FIELD_TYPE_UNSPECIFIED),
            options=question.options,
        )
        for question in questions
    ]


def answer_messages(plan: ScreeningPlan, answers: Mapping[str, Answer]) -> list[pb.ScreeningAnswer]:
    """Write answers in the order of their questions."""
    return [
        answer_message(question.key, question.kind, answers[question.key])
        for question in plan.questions
        if question.key in answers
    ]


def answer_message(key: str, kind: AnswerKind, answer: Answer) -> pb.ScreeningAnswer:
    """Write one answer, in the field of its kind."""
    if not isinstance(answer, str):
        return pb.ScreeningAnswer(key=key, number=answer)
    match kind:
        case AnswerKind.URL:
            return pb.ScreeningAnswer(key=key, url=answer)
        case AnswerKind.OPTION:
            return pb.ScreeningAnswer(key=key, option=answer)
        case _:
            return pb.ScreeningAnswer(key=key, text=answer)


def _interview_message(screening: Screening) -> pb.Interview | None:
    interview, recorded = screening.interview, screening.interview_time
    if interview is None or recorded is None:
        return None
    return pb.Interview(
        score=interview.score,
        summary=interview.summary,
        transcript=[
            pb.InterviewTurn(
                speaker=pb.InterviewSpeaker.Value(f"INTERVIEW_SPEAKER_{turn.speaker}"),
                text=turn.text,
            )
            for turn in interview.transcript
        ],
        mismatch_signals=interview.mismatch_signals,
        record_time=timestamp(recorded),
    )
