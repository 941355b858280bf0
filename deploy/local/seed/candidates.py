"""Draws what trainers and employers do around a job: profiles, screenings, proposals, talks."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from faker import Faker

from deploy.local.seed import texts
from deploy.local.seed.plan import (
    Ending,
    Line,
    PlannedJob,
    PlannedProposal,
    PlannedScreening,
    Progress,
    Talk,
)
from deploy.local.seed.texts import FIELDS, LANGUAGES, Language
from hireflow.common.v1 import money_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2, screening_pb2

_UNITS = {
    job_pb2.PAY_KIND_FIXED: proposal_pb2.RATE_UNIT_FIXED,
    job_pb2.PAY_KIND_HOURLY: proposal_pb2.RATE_UNIT_HOUR,
    job_pb2.PAY_KIND_PER_LABEL: proposal_pb2.RATE_UNIT_LABEL,
}


def _takes_hires_into_its_channel(job: PlannedJob) -> bool:
    return _is_published(job) and bool(job.channel) and job.posting.settings.add_hires_to_channels


def _is_done(job: PlannedJob) -> bool:
    return job.state == job_pb2.JOB_STATE_HIRING_DONE


def _is_published(job: PlannedJob) -> bool:
    return job.state == job_pb2.JOB_STATE_PUBLISHED


def is_open(job: PlannedJob) -> bool:
    """Tell whether a job was ever open for proposals."""
    return job.state != job_pb2.JOB_STATE_DRAFT


@dataclass(frozen=True, slots=True)
class Case:
    """What becomes of a proposal, and the jobs on which it can."""

    review: "proposal_pb2.ReviewState.ValueType" = proposal_pb2.REVIEW_STATE_UNREVIEWED
    ending: Ending | None = None
    fits: Callable[[PlannedJob], bool] = is_open
    note: bool = False
    talk: bool = False
    withdrawn: bool = False


_SHORTLISTED = proposal_pb2.REVIEW_STATE_SHORTLISTED
PLAIN = Case()
CASES = (
    Case(_SHORTLISTED, Ending.HIRED, _takes_hires_into_its_channel),
    Case(_SHORTLISTED, Ending.HIRED, _is_done),
    Case(_SHORTLISTED, Ending.DECLINED, _is_published),
    Case(_SHORTLISTED, Ending.AT_BANK, _is_published),
    Case(_SHORTLISTED, Ending.UNDONE, _is_published),
    PLAIN,
    Case(proposal_pb2.REVIEW_STATE_MAYBE, note=True),
    Case(proposal_pb2.REVIEW_STATE_RESUME_SENT, talk=True),
    Case(proposal_pb2.REVIEW_STATE_DECLINED),
    Case(withdrawn=True),
    Case(_SHORTLISTED, note=True, talk=True),
)
"""Each comes once before any is drawn."""


def fakers(drawn: random.Random) -> dict[str, Faker]:
    """Make who invents the names, by language."""
    made = {}
    for language, how in LANGUAGES.items():
        made[language] = Faker(how.locale)
        made[language].seed_instance(drawn.getrandbits(32))
    return made


def draw_trainer(
    drawn: random.Random, names: dict[str, Faker], number: int
) -> proposal_pb2.Profile:
    """Draw the trainer of a number, counted from 0; languages come in turn."""
    language = _language(number)
    skills = drawn.sample(list(FIELDS), 2)
    return proposal_pb2.Profile(
        first_name=names[language].first_name(),
        last_name=names[language].last_name(),
        country=LANGUAGES[language].country,
        title=FIELDS[skills[0]].profession,
        languages=sorted({"en", language}),
        skills=skills,
        resume_reference=f"cv-{number + 1}" if number % 3 else "",
    )


def draw_screening(
    drawn: random.Random, job: PlannedJob, pair: tuple[int, int], progress: Progress, number: int
) -> PlannedScreening:
    """Draw a screening; every second one leaves out what it may."""
    field = FIELDS[job.posting.required_skills[0]]
    answers = [
        screening_pb2.ScreeningAnswer(key="years", number=drawn.randint(5, 10)),
        screening_pb2.ScreeningAnswer(
            key="hours", option=drawn.choice(job.posting.screening_plan.fields[1].options)
        ),
    ]
    if number % 2 == 0:
        answers += [
            screening_pb2.ScreeningAnswer(key="tool", text=field.tool),
            screening_pb2.ScreeningAnswer(key="example", text=field.example),
            screening_pb2.ScreeningAnswer(
                key="portfolio", url=f"https://portfolio.example.com/{number + 1}"
            ),
        ]
    if progress is Progress.HALF_ANSWERED:
        del answers[1:]
    turns = (
        (screening_pb2.INTERVIEW_SPEAKER_INTERVIEWER, field.question),
        (screening_pb2.INTERVIEW_SPEAKER_TRAINER, field.answer),
    )
    interview = screening_pb2.Interview(
        score=drawn.randint(20, 100),
        summary=drawn.choice(texts.INTERVIEW_SUMMARIES),
        transcript=[screening_pb2.InterviewTurn(speaker=who, text=text) for who, text in turns],
        mismatch_signals=[] if number % 3 else [drawn.choice(texts.MISMATCH_SIGNALS)],
    )
    return PlannedScreening(*pair, progress, tuple(answers), interview)


def draw_proposal(
    drawn: random.Random, job: PlannedJob, pair: tuple[int, int], case: Case, number: int
) -> PlannedProposal:
    """Draw the proposal of a number, counted from 0, in its trainer's language."""
    language = LANGUAGES[_language(pair[1])]
    years, pay = drawn.randint(5, 10), job.posting.pay
    asked = drawn.randint(pay.minimum_minor_units, pay.maximum_minor_units)
    return PlannedProposal(
        *pair,
        message=drawn.choice(language.messages).format(years=years),
        summary=drawn.choice(language.summaries).format(years=years),
        rate=proposal_pb2.Rate(
            amount=money_pb2.Money(minor_units=asked, currency_code=pay.currency_code),
            unit=_UNITS[pay.kind],
        ),
        withdrawn=case.withdrawn,
        review=case.review,
        note=drawn.choice(texts.NOTES) if case.note else "",
        talk=_talk(drawn, language, number) if case.talk else None,
        ending=case.ending,
        milestone_minor_units=drawn.randrange(20000, 60000, 1000),
        work=_work(language, number),
    )


def attachment(name: str) -> thread_pb2.Attachment:
    """Describe a file; like every attachment it is kept elsewhere."""
    return thread_pb2.Attachment(
        name=name,
        media_type="application/pdf",
        size_bytes=48_213,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        address=f"https://files.example.com/{name}",
    )


def _language(trainer: int) -> str:
    return list(LANGUAGES)[trainer % len(LANGUAGES)]


def _talk(drawn: random.Random, language: Language, number: int) -> Talk:
    lines = [
        Line(by_trainer=False, text=drawn.choice(texts.QUESTIONS)),
        Line(by_trainer=True, text=drawn.choice(language.replies)),
    ]
    whole = number % 2 == 0
    if whole:
        lines.insert(0, Line(by_trainer=False, text=texts.MISPLACED, deleted=True))
    return Talk(tuple(lines), read=whole)


def _work(language: Language, number: int) -> Talk:
    first = Line(by_trainer=False, text=texts.FIRST_TASK, attachment=attachment("first-batch.pdf"))
    until = Line(by_trainer=False, text=texts.TYPO, mended=texts.MENDED)
    done = Line(by_trainer=True, text=language.at_work)
    return Talk((first, until, done), read=number % 2 == 0)
