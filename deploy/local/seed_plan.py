"""What `hireflow seed` makes, drawn from a number: the same number draws the same data."""

import random
from dataclasses import dataclass

from faker import Faker

from hireflow.common.v1 import money_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2

LOCALES = {
    "en": ("en_US", "US"),
    "de": ("de_DE", "DE"),
    "fr": ("fr_FR", "FR"),
    "es": ("es_MX", "MX"),
    "ja": ("ja_JP", "JP"),
    "zh": ("zh_CN", "CN"),
    "ar": ("ar_EG", "EG"),
    "hi": ("hi_IN", "IN"),
    "ru": ("ru_RU", "KZ"),
    "el": ("el_GR", "GR"),
}
"""Language → Faker's locale for names and texts, and the country of a trainer who speaks it."""
FIELDS = {
    "medicine": ("Physician", "Rate answers of a medical assistant"),
    "law": ("Lawyer", "Compare summaries of contracts"),
    "mathematics": ("Mathematician", "Write proofs that a model must follow"),
    "programming": ("Engineer", "Review code that a model wrote"),
    "translation": ("Translator", "Judge translations sentence by sentence"),
    "writing": ("Editor", "Rewrite stories for tone and clarity"),
}
"""Skill → the title of who has it, and a job that needs it."""
FOLDERS = (("Spring sprint", "#2e7d32"), ("Client: Northwind", "#1565c0"))
_VISIBILITIES = (
    job_pb2.JOB_VISIBILITY_PUBLIC,
    job_pb2.JOB_VISIBILITY_PUBLIC,
    job_pb2.JOB_VISIBILITY_UNLISTED,
    job_pb2.JOB_VISIBILITY_INVITE_ONLY,
)
_STATES = (
    *(job_pb2.JOB_STATE_PUBLISHED,) * 3,
    job_pb2.JOB_STATE_HIRING_DONE,
    job_pb2.JOB_STATE_DRAFT,
    job_pb2.JOB_STATE_ARCHIVED,
)
_REVIEWS = (
    proposal_pb2.REVIEW_STATE_UNREVIEWED,
    proposal_pb2.REVIEW_STATE_SHORTLISTED,
    proposal_pb2.REVIEW_STATE_MAYBE,
    proposal_pb2.REVIEW_STATE_RESUME_SENT,
    proposal_pb2.REVIEW_STATE_DECLINED,
)
_KINDS = (job_pb2.PAY_KIND_HOURLY, job_pb2.PAY_KIND_FIXED, job_pb2.PAY_KIND_PER_LABEL)
_JOBS_PER_ORGANISATION = 6
_MOST_HIRES = 5


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job, where it goes and where it ends."""

    organisation: int
    folder: int | None
    posting: job_pb2.Job
    state: "job_pb2.JobState.ValueType"
    instructions: str


@dataclass(frozen=True, slots=True)
class PlannedProposal:
    """A trainer's proposal for a job, and what the employer makes of it."""

    job: int
    trainer: int
    message: str
    summary: str
    rate: proposal_pb2.Rate
    years: int
    score: int
    withdrawn: bool
    review: "proposal_pb2.ReviewState.ValueType"
    note: str
    question: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be made; whoever belongs together is named by place in these lists."""

    organisations: int
    jobs: list[PlannedJob]
    trainers: list[proposal_pb2.Profile]
    proposals: list[PlannedProposal]
    hires: list[int]


def draw(jobs: int, proposals: int, seed: int) -> Plan:
    """Draw so many jobs and proposals; up to five of the proposals are hired."""
    drawn = random.Random(seed)  # noqa: S311 - repeatable, not secret
    fakers = {}
    for language, (locale, _) in LOCALES.items():
        fakers[language] = Faker(locale)
        fakers[language].seed_instance(drawn.getrandbits(32))
    planned = [_job(drawn, fakers["en"], number) for number in range(jobs)]
    open_ = [number for number, job in enumerate(planned) if job.state != job_pb2.JOB_STATE_DRAFT]
    # Twice as many pairs of a job and a trainer as proposals: each trainer proposes to half.
    trainers = [
        _trainer(drawn, fakers, number) for number in range(2 * proposals // len(open_) + 2)
    ]
    pairs = [(job, trainer) for job in open_ for trainer in range(len(trainers))]
    offers = [
        _proposal(drawn, fakers["en"], job, trainer)
        for job, trainer in drawn.sample(pairs, proposals)
    ]
    hires = [
        number
        for number, offer in enumerate(offers)
        if planned[offer.job].state == job_pb2.JOB_STATE_PUBLISHED
        and not offer.withdrawn
        and offer.review == proposal_pb2.REVIEW_STATE_SHORTLISTED
    ]
    organisations = 1 + (jobs - 1) // _JOBS_PER_ORGANISATION
    return Plan(organisations, planned, trainers, offers, hires[:_MOST_HIRES])


def _job(drawn: random.Random, faker: Faker, number: int) -> PlannedJob:
    skill = drawn.choice(list(FIELDS))
    minimum = drawn.randrange(2000, 8000, 100)
    posting = job_pb2.Job(
        title=FIELDS[skill][1],
        description=faker.paragraph(5),
        category=f"{skill}-rating",
        required_languages=["en", *drawn.sample(list(LOCALES)[1:], drawn.randint(0, 1))],
        required_skills=[skill],
        required_countries=[LOCALES[each][1] for each in drawn.sample(list(LOCALES), 2)],
        pay=job_pb2.Pay(
            kind=drawn.choice(_KINDS),
            minimum_minor_units=minimum,
            maximum_minor_units=minimum * 2,
            currency_code="USD",
        ),
        # Room for every hire, so that none waits for another's end.
        positions=_MOST_HIRES + drawn.randint(0, 5),
        settings=job_pb2.JobSettings(
            visibility=_VISIBILITIES[number % len(_VISIBILITIES)],
            add_hires_to_channels=drawn.random() < 0.5,
        ),
    )
    if number % 2:
        posting.screening_plan.CopyFrom(_plan(skill))
    return PlannedJob(
        organisation=number // _JOBS_PER_ORGANISATION,
        folder=drawn.choice((None, 0, 1)),
        posting=posting,
        state=_STATES[number % len(_STATES)],
        instructions=f"# How we work\n\n{faker.paragraph(4)}\n\n- {faker.sentence()}\n",
    )


def _plan(skill: str) -> job_pb2.ScreeningPlan:
    return job_pb2.ScreeningPlan(
        prompt=f"Find out how deep the candidate's {skill} goes; ask for one example.",
        fields=[
            job_pb2.ScreeningField(
                key="years",
                label=f"Years of {skill}",
                required=True,
                type=job_pb2.SCREENING_FIELD_TYPE_NUMBER,
            ),
            job_pb2.ScreeningField(
                key="hours",
                label="Hours a week",
                required=True,
                type=job_pb2.SCREENING_FIELD_TYPE_SINGLE_SELECT,
                options=["up to 10", "10 to 20", "more"],
            ),
            job_pb2.ScreeningField(
                key="example",
                label="Something you are proud of",
                type=job_pb2.SCREENING_FIELD_TYPE_LONG_TEXT,
            ),
        ],
    )


def _trainer(drawn: random.Random, fakers: dict[str, Faker], number: int) -> proposal_pb2.Profile:
    language = list(LOCALES)[number % len(LOCALES)]
    skills = drawn.sample(list(FIELDS), 2)
    return proposal_pb2.Profile(
        first_name=fakers[language].first_name(),
        last_name=fakers[language].last_name(),
        country=LOCALES[language][1],
        title=FIELDS[skills[0]][0],
        languages=sorted({"en", language}),
        skills=skills,
        resume_reference=f"cv-{number + 1}",
    )


def _proposal(drawn: random.Random, faker: Faker, job: int, trainer: int) -> PlannedProposal:
    units = (
        proposal_pb2.RATE_UNIT_HOUR,
        proposal_pb2.RATE_UNIT_HOUR,
        proposal_pb2.RATE_UNIT_LABEL,
    )
    amount = money_pb2.Money(minor_units=drawn.randrange(1500, 12000, 50), currency_code="USD")
    return PlannedProposal(
        job=job,
        trainer=trainer,
        message=faker.paragraph(3),
        summary=faker.sentence(10),
        rate=proposal_pb2.Rate(amount=amount, unit=drawn.choice(units)),
        years=drawn.randint(1, 25),
        score=drawn.randint(20, 100),
        withdrawn=drawn.random() < 0.08,
        review=drawn.choice(_REVIEWS),
        note=faker.sentence() if drawn.random() < 0.3 else "",
        question="Could you start next week?" if drawn.random() < 0.4 else "",
    )
