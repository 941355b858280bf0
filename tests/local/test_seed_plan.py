"""What a seed draws."""

from deploy.local.seed_plan import LOCALES, draw
from hireflow.jobs.v1 import job_pb2


def test_the_same_seed_draws_the_same_data_and_another_other_data() -> None:
    assert draw(12, 40, seed=5) == draw(12, 40, seed=5)
    assert draw(12, 40, seed=5) != draw(12, 40, seed=6)


def test_every_state_visibility_and_language_is_drawn_and_nobody_proposes_twice() -> None:
    plan = draw(24, 120, seed=1)
    states = {job.state for job in plan.jobs}
    assert states == set(job_pb2.JobState.values()) - {job_pb2.JOB_STATE_UNSPECIFIED}
    visibilities = {job.posting.settings.visibility for job in plan.jobs}
    assert len(visibilities) == 3
    assert {language for each in plan.trainers for language in each.languages} == set(LOCALES)
    assert any(not each.first_name.isascii() for each in plan.trainers)
    pairs = {(each.job, each.trainer) for each in plan.proposals}
    assert len(pairs) == len(plan.proposals) == 120
    assert len({each.review for each in plan.proposals}) == 5
    assert 2 <= len(plan.hires) <= 5
