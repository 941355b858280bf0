"""What a seed draws."""

from itertools import chain

import pytest
from faker import Faker

from deploy.local.seed.drawing import draw
from deploy.local.seed.plan import INVITED_AT_ONCE, Ending, Plan, Progress
from deploy.local.seed.texts import LANGUAGES, Language
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_pb2

UNITS = {
    job_pb2.PAY_KIND_FIXED: proposal_pb2.RATE_UNIT_FIXED,
    job_pb2.PAY_KIND_HOURLY: proposal_pb2.RATE_UNIT_HOUR,
    job_pb2.PAY_KIND_PER_LABEL: proposal_pb2.RATE_UNIT_LABEL,
}


def language_of(plan: Plan, trainer: int) -> Language:
    spoken = set(plan.trainers[trainer].languages)
    return LANGUAGES[(spoken - {"en"} or spoken).pop()]


def test_the_same_seed_draws_the_same_data_and_another_other_data() -> None:
    assert draw(12, 40, seed=5) == draw(12, 40, seed=5)
    assert draw(12, 40, seed=5) != draw(12, 40, seed=6)


def test_every_state_visibility_and_language_is_drawn_and_nobody_proposes_twice() -> None:
    plan = draw(12, 40, seed=1)
    states = {job.state for job in plan.jobs}
    assert states == set(job_pb2.JobState.values()) - {job_pb2.JOB_STATE_UNSPECIFIED}
    visibilities = {job.posting.settings.visibility for job in plan.jobs}
    assert len(visibilities) == 3
    assert {language for each in plan.trainers for language in each.languages} == set(LANGUAGES)
    pairs = {(each.job, each.trainer) for each in plan.proposals}
    assert len(pairs) == len(plan.proposals) == 40
    assert {each.review for each in plan.proposals} == set(proposal_pb2.ReviewState.values()) - {
        proposal_pb2.REVIEW_STATE_UNSPECIFIED,
        proposal_pb2.REVIEW_STATE_HIRED,
    }
    assert {each.ending for each in plan.proposals} == {*Ending, None}
    assert {each.progress for each in plan.screenings} == set(Progress)


@pytest.mark.parametrize(("jobs", "proposals"), [(1, 0), (1, 3), (2, 30), (4, 1000)])
def test_any_size_can_be_carried_out(jobs: int, proposals: int) -> None:
    plan = draw(jobs, proposals, seed=1)
    assert (len(plan.jobs), len(plan.proposals)) == (jobs, proposals)
    for each in plan.proposals:
        assert plan.jobs[each.job].state != job_pb2.JOB_STATE_DRAFT
    complete = {(s.job, s.trainer) for s in plan.screenings if s.progress is Progress.COMPLETE}
    asked = {
        (each.job, each.trainer)
        for each in plan.proposals
        if plan.jobs[each.job].posting.HasField("screening_plan")
    }
    assert asked <= complete


def test_whoever_comes_to_a_job_for_the_invited_is_invited_a_call_at_a_time() -> None:
    plan = draw(4, 1000, seed=1)
    place = next(
        place
        for place, job in enumerate(plan.jobs)
        if job.posting.settings.visibility == job_pb2.JOB_VISIBILITY_INVITE_ONLY
    )
    calls = list(plan.invitations(place))
    assert len(plan.coming(place)) > INVITED_AT_ONCE
    assert list(chain(*calls)) == plan.coming(place)
    assert all(0 < len(trainers) <= INVITED_AT_ONCE for trainers in calls)
    assert not list(plan.invitations(0))


def test_a_rate_is_of_the_jobs_kind_of_pay_and_in_its_range() -> None:
    plan = draw(12, 60, seed=1)
    for each in plan.proposals:
        pay, asked = plan.jobs[each.job].posting.pay, each.rate.amount.minor_units
        assert each.rate.unit == UNITS[pay.kind]
        assert pay.minimum_minor_units <= asked <= pay.maximum_minor_units
    assert {each.rate.unit for each in plan.proposals} == set(UNITS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_and_texts_are_of_the_trainers_own_language(language: str) -> None:
    how = LANGUAGES[language]
    modules = {type(each).__module__ for each in Faker(how.locale).get_providers()}
    assert f"faker.providers.person.{how.locale}" in modules
    plan = draw(6, 30, seed=2)
    own = [each for each in plan.proposals if language_of(plan, each.trainer) is how]
    assert own
    written = {text.format(years=years) for text in how.messages for years in range(5, 11)}
    assert {each.message for each in own} <= written
