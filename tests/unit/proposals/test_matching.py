"""How a profile meets a job's needs, and what employers see of who it is."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.proposals.domain import Job, Match, Profile, match, ranked


def test_a_match_tells_what_is_met_and_what_is_missing(profile: Profile, job: Job) -> None:
    found = match(profile, job)
    met = ("language:en", "skill:medicine", "country:US|DE")
    assert found == Match(75, met, ("language:de",))


def test_a_job_without_needs_is_met_in_full(profile: Profile, job: Job) -> None:
    open_to_all = replace(job, required_languages=(), required_skills=(), required_countries=())
    assert match(profile, open_to_all) == Match(100, (), ())


def test_who_meets_nothing_scores_nothing(profile: Profile, job: Job) -> None:
    stranger = replace(profile, languages=(), skills=(), country="FR")
    found = match(stranger, job)
    assert (found.score, found.met, len(found.missing)) == (0, (), 4)


@pytest.mark.parametrize(
    ("known", "needed", "held"),
    [
        ("de", "de", True),
        ("de-AT", "de", True),
        ("DE-at", "de-AT", True),
        ("de", "de-AT", False),
        ("den", "de", False),
    ],
)
def test_a_variety_of_a_language_meets_the_language(
    known: str,
    needed: str,
    held: bool,
    profile: Profile,
    job: Job,
) -> None:
    needs = replace(job, required_languages=(needed,), required_skills=(), required_countries=())
    assert match(replace(profile, languages=(known,)), needs).score == (100 if held else 0)


@pytest.mark.parametrize(
    ("met", "needs", "score"), [(1, 8, 13), (3, 8, 38), (1, 3, 33), (2, 3, 67), (199, 200, 100)]
)
def test_a_score_is_the_share_of_needs_met_with_a_half_rounded_up(
    met: int, needs: int, score: int, profile: Profile, job: Job
) -> None:
    skills = tuple(f"skill {number}" for number in range(needs))
    needing = replace(job, required_languages=(), required_skills=skills, required_countries=())
    assert match(replace(profile, skills=skills[:met]), needing).score == score


def test_a_candidate_is_a_first_name_and_an_initial(profile: Profile) -> None:
    candidate = replace(profile, first_name="Jordan", last_name="lee").masked()
    assert candidate.display_name == "Jordan L."
    assert not {"lee", "Lee", profile.resume_reference} & set(str(candidate).split("'"))


@pytest.mark.parametrize(
    ("state", "visibility", "visible"),
    [
        ("PUBLISHED", "PUBLIC", True),
        ("PUBLISHED", "UNLISTED", True),
        ("PUBLISHED", "INVITE_ONLY", False),
        ("HIRING_DONE", "PUBLIC", True),
        ("ARCHIVED", "PUBLIC", True),
        ("DRAFT", "PUBLIC", False),
        ("UNHEARD_OF", "PUBLIC", False),
        ("PUBLISHED", "UNHEARD_OF", False),
    ],
)
def test_trainers_know_of_jobs_that_were_shown_to_them(
    state: str,
    visibility: str,
    visible: bool,
    job: Job,
    now: datetime,
) -> None:
    shown = replace(job, state=state, visibility=visibility, publish_time=now)
    assert shown.visible_to_trainer(invited=False) is visible


def test_a_draft_that_was_archived_was_never_shown(job: Job) -> None:
    assert not replace(job, state="ARCHIVED").visible_to_trainer(invited=True)


@pytest.mark.parametrize(("state", "visible"), [("PUBLISHED", True), ("DRAFT", False)])
def test_an_invited_trainer_knows_of_the_job_once_it_is_published(
    state: str, visible: bool, job: Job
) -> None:
    shown = replace(job, state=state, visibility="INVITE_ONLY")
    assert shown.visible_to_trainer(invited=True) is visible


def test_openings_are_ranked_by_match_then_the_newest_and_tell_who_is_invited(
    profile: Profile, job: Job, now: datetime
) -> None:
    easy = replace(job, required_languages=("en",))
    jobs = [
        replace(job, job_id="newest", publish_time=now + timedelta(days=2)),
        replace(easy, job_id="older", publish_time=now),
        replace(easy, job_id="newer", publish_time=now + timedelta(days=1)),
        replace(easy, job_id="not told"),
    ]
    found = ranked(profile, jobs, {"newest"})
    assert [opening.job.job_id for opening in found] == ["newer", "older", "not told", "newest"]
    assert [opening.match.score for opening in found] == [100, 100, 100, 75]
    assert [opening.invited for opening in found] == [False, False, False, True]
