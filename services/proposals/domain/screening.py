"""A screening: the answers and the interview that come before a proposal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeAlias
from urllib.parse import urlsplit

from services.common.contact_details import without_contact_details
from services.common.errors import Conflict, Problems, Refused, problems
from services.proposals.domain.job import Job
from services.proposals.domain.plan import AnswerKind, Question, ScreeningPlan
from services.proposals.domain.profile import Candidate, Profile

LINE_LIMIT, TEXT_LIMIT, ADDRESS_LIMIT = 500, 20_000, 2_000
Answer: TypeAlias = str | float


class Speaker(StrEnum):
    """Who speaks in an interview."""

    INTERVIEWER = "INTERVIEWER"
    TRAINER = "TRAINER"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an interview."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Interview:
    """What an interview found; the score is 0 to 100."""

    score: int
    summary: str
    transcript: tuple[Turn, ...]
    mismatch_signals: tuple[str, ...]

    def masked(self) -> Self:
        """Leave out how to reach the trainer before a hire (the mission, "People and access")."""
        clean = without_contact_details
        return replace(
            self,
            summary=clean(self.summary),
            transcript=tuple(replace(turn, text=clean(turn.text)) for turn in self.transcript),
            mismatch_signals=tuple(map(clean, self.mismatch_signals)),
        )


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as the trainer gave it; without a kind, to take a saved answer back."""

    key: str
    kind: AnswerKind | None
    value: Answer


@dataclass(frozen=True, slots=True)
class Screening:
    """A trainer's screening for a job.

    It goes by the plan as it was when it began, or began anew.
    """

    screening_id: str
    job_id: str
    organisation_id: str
    candidate: Candidate
    plan: ScreeningPlan
    answers: Mapping[str, Answer]
    answers_final: bool
    interview: Interview | None
    interview_time: datetime | None
    create_time: datetime
    complete_time: datetime | None

    @classmethod
    def start(cls, screening_id: str, job: Job, profile: Profile | None, now: datetime) -> Self:
        """Begin on an open job, with its present plan; the candidate is kept as it is now.

        Raises Refused: JOB_NOT_OPEN, NO_SCREENING_PLAN, PROFILE_MISSING.
        """
        job.require_open()
        if profile is None:
            raise Refused("PROFILE_MISSING", "write your profile before you start a screening")
        return cls(
            screening_id=screening_id,
            job_id=job.job_id,
            organisation_id=job.organisation_id,
            candidate=profile.masked(),
            plan=_present_plan(job),
            answers={},
            answers_final=False,
            interview=None,
            interview_time=None,
            create_time=now,
            complete_time=None,
        )

    def plan_changed(self, job: Job) -> bool:
        """Whether the job's plan is another one before the answers are final."""
        present = job.plan.version if job.plan else None
        return not self.answers_final and present != self.plan.version

    def start_again(self, job: Job) -> Self:
        """Go over to the job's present plan and keep the answers that still fit.

        Nothing changes where the plan did not, or the answers are final. What an interview found
        by the plan of before is dropped: another one is to be held.

        Raises Refused: JOB_NOT_OPEN, NO_SCREENING_PLAN.
        """
        if not self.plan_changed(job):
            return self
        job.require_open()
        plan = _present_plan(job)
        kept = {
            question.key: self.answers[question.key]
            for question in plan.questions
            if question.key in self.answers and _fits(question, self.answers[question.key])
        }
        return replace(self, plan=plan, answers=kept, interview=None, interview_time=None)

    def answer(self, given: Sequence[Given], job: Job, *, final: bool, now: datetime) -> Self:
        """Save answers; the final ones must leave no required field without one.

        Raises Refused: ANSWERS_FINAL, SCREENING_PLAN_CHANGED; InvalidInput naming every answer
        that is wrong, and with `final` every one that is missing.
        """
        if self.answers_final:
            raise Refused("ANSWERS_FINAL", "the answers are final: nothing can be changed")
        if self.plan_changed(job):
            told = "the job's plan changed: start the screening again, answers that fit are kept"
            raise Refused("SCREENING_PLAN_CHANGED", told)
        questions = {question.key: question for question in self.plan.questions}
        answers = dict(self.answers)
        with problems() as noted:
            for index, each in enumerate(given):
                again = any(each.key == other.key for other in given[:index])
                noted.require(not again, f"answers[{index}].key", "must not come twice")
                question = questions.get(each.key)
                if question is None:
                    noted.add(f"answers[{index}].key", "must be a key of the screening's fields")
                elif each.kind is None:
                    answers.pop(each.key, None)
                elif _check(question, each, f"answers[{index}]", noted):
                    answers[each.key] = _masked(question, each.value)
            required = {each.key for each in self.plan.questions if each.required}
            missing = ", ".join(sorted(required - answers.keys()))
            noted.require(not final or not missing, "answers", f"must have one for {missing}")
        complete = now if final and self.interview is not None else None
        return replace(self, answers=answers, answers_final=final, complete_time=complete)

    def record(self, interview: Interview, plan_version: int, now: datetime) -> Self:
        """Keep what an interview by a version of the plan found; the same again changes nothing.

        Version 0 is not said, and taken for the screening's.

        Raises Conflict SCREENING_PLAN_CHANGED for another version than the screening's; Refused
        INTERVIEW_RECORDED when another record is there: the first stands.
        """
        if plan_version not in {0, self.plan.version}:
            told = f"the screening goes by version {self.plan.version} of the plan: interview anew"
            raise Conflict("SCREENING_PLAN_CHANGED", told)
        masked = interview.masked()
        if self.interview is not None:
            if self.interview != masked:
                told = "another record of the interview is there: the first one stands"
                raise Refused("INTERVIEW_RECORDED", told)
            return self
        complete = now if self.answers_final else None
        return replace(self, interview=masked, interview_time=now, complete_time=complete)


@dataclass(frozen=True, slots=True)
class OwnScreening:
    """A screening as its trainer sees it, with whether its plan changed."""

    screening: Screening
    plan_changed: bool


def _present_plan(job: Job) -> ScreeningPlan:
    if job.plan is None:
        raise Refused("NO_SCREENING_PLAN", "the job asks for no screening: submit a proposal")
    return job.plan


def _check(question: Question, given: Given, field: str, noted: Problems) -> bool:
    kind = question.kind.lower()
    if given.kind is not question.kind:
        return noted.require(False, field, f"must be a {kind}, as the field asks")
    return noted.require(_fits(question, given.value), f"{field}.{kind}", _must(question))


def _must(question: Question) -> str:
    match question.type:
        case "NUMBER":
            return "must be a finite number"
        case "URL":
            return f"must be an http or https address of at most {ADDRESS_LIMIT} characters"
        case "SINGLE_SELECT":
            return f"must be one of {', '.join(question.options)}"
        case "SHORT_TEXT":
            return f"must be one line of 1 to {LINE_LIMIT} printable characters"
        case _:
            return f"must have 1 to {TEXT_LIMIT:,} characters, none of them a control character"


def _fits(question: Question, answer: Answer) -> bool:
    if not isinstance(answer, str):
        return question.kind is AnswerKind.NUMBER and math.isfinite(answer)
    match question.type:
        case "NUMBER":
            return False
        case "URL":
            return _is_address(answer)
        case "SINGLE_SELECT":
            return answer in question.options
        case "SHORT_TEXT":
            return 0 < len(answer.strip()) <= LINE_LIMIT >= len(answer) and answer.isprintable()
        case _:
            clean = all(each >= " " or each in "\n\r\t" for each in answer)
            return bool(answer.strip()) and len(answer) <= TEXT_LIMIT and clean


def _is_address(text: str) -> bool:
    if len(text) > ADDRESS_LIMIT or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _masked(question: Question, answer: Answer) -> Answer:
    """Leave out contact details from texts.

    An address stays where the employer's own plan asks for one, an option is the plan's own text.
    """
    asked = question.kind in {AnswerKind.URL, AnswerKind.OPTION}
    return answer if asked or not isinstance(answer, str) else without_contact_details(answer)
