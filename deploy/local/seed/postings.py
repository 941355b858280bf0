"""Draws jobs: each state, visibility and kind of pay comes in turn."""

import random

from deploy.local.seed.plan import FOLDERS, PlannedJob
from deploy.local.seed.texts import FIELDS, LANGUAGES
from hireflow.jobs.v1 import job_pb2

MOST_HIRES = 8
"""Room for every hire on any job, so that none waits for another's end."""
_JOBS_PER_ORGANISATION = 6
_STATES = (
    *(job_pb2.JOB_STATE_PUBLISHED,) * 3,
    job_pb2.JOB_STATE_HIRING_DONE,
    job_pb2.JOB_STATE_DRAFT,
    job_pb2.JOB_STATE_ARCHIVED,
)
_VISIBILITIES = (
    job_pb2.JOB_VISIBILITY_PUBLIC,
    job_pb2.JOB_VISIBILITY_PUBLIC,
    job_pb2.JOB_VISIBILITY_UNLISTED,
    job_pb2.JOB_VISIBILITY_INVITE_ONLY,
)
_PAY = (
    (job_pb2.PAY_KIND_HOURLY, range(2000, 8000, 100)),
    (job_pb2.PAY_KIND_FIXED, range(40000, 200000, 5000)),
    (job_pb2.PAY_KIND_PER_LABEL, range(10, 80, 5)),
)
"""Kinds of pay, and what the least of it may be in cents; the most is twice as much."""


def organisations(jobs: int) -> int:
    """Tell how many organisations so many jobs need."""
    return 1 + (jobs - 1) // _JOBS_PER_ORGANISATION


def draw_job(drawn: random.Random, number: int) -> PlannedJob:
    """Draw the job of a number, counted from 0."""
    skill = drawn.choice(list(FIELDS))
    field = FIELDS[skill]
    kind, least = _PAY[number % len(_PAY)]
    minimum = drawn.choice(least)
    countries = [each.country for each in LANGUAGES.values()]
    posting = job_pb2.Job(
        title=field.title,
        description=field.description,
        category=f"{skill}-rating",
        required_languages=["en", *drawn.sample(list(LANGUAGES)[1:], drawn.randint(0, 1))],
        required_skills=[skill],
        required_countries=drawn.sample(countries, 2),
        pay=job_pb2.Pay(
            kind=kind,
            minimum_minor_units=minimum,
            maximum_minor_units=minimum * 2,
            currency_code="USD",
        ),
        positions=MOST_HIRES + drawn.randint(1, 5),
        settings=job_pb2.JobSettings(
            visibility=_VISIBILITIES[number % len(_VISIBILITIES)],
            add_hires_to_channels=number % 2 == 0,
        ),
    )
    if number % 2:
        posting.screening_plan.CopyFrom(_screening_plan(skill))
    return PlannedJob(
        organisation=number // _JOBS_PER_ORGANISATION,
        folder=drawn.choice((None, *range(len(FOLDERS)))),
        posting=posting,
        state=_STATES[number % len(_STATES)],
        instructions=f"# {field.title}\n\n{field.instructions}\n\n- Give a reason each time.\n",
        channel="Questions and answers" if number % 3 == 0 else "",
    )


def _screening_plan(skill: str) -> job_pb2.ScreeningPlan:
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
                key="tool",
                label="The tool that you know best",
                type=job_pb2.SCREENING_FIELD_TYPE_SHORT_TEXT,
            ),
            job_pb2.ScreeningField(
                key="example",
                label="Something you are proud of",
                type=job_pb2.SCREENING_FIELD_TYPE_LONG_TEXT,
            ),
            job_pb2.ScreeningField(
                key="portfolio",
                label="Where we can see your work",
                type=job_pb2.SCREENING_FIELD_TYPE_URL,
            ),
        ],
    )
