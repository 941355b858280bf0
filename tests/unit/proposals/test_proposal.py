"""Every state of a proposal against every verb, the match, and the trainer's view."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.common.errors import Conflict, HireflowError, Refused
from services.proposals.domain import (
    Job,
    Offer,
    Profile,
    Proposal,
    RateUnit,
    ReviewState,
    Status,
    match,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job("j", "o", "PUBLISHED", "PUBLIC", ("en", "de"), ("medicine",), ("US", "DE"))
PROFILE = Profile("t", "Jordan", "Lee", "DE", "Physician", ("en",), ("medicine",), "", NOW)
OFFER = Offer("Hello", "", 6000, "USD", RateUnit.HOUR)
FRESH = Proposal.submit("p", JOB, PROFILE, OFFER, NOW)
UNDECIDED = [s for s in ReviewState if s is not ReviewState.HIRED]
HIRED = replace(FRESH, review_state=ReviewState.HIRED)


def refused(proposal: Proposal, verb: str) -> str:
    verbs = {
        "decline": lambda: proposal.review(ReviewState.DECLINED, NOW),
        "shortlist": lambda: proposal.review(ReviewState.SHORTLISTED, NOW),
        "withdraw": lambda: proposal.withdraw(NOW),
        "reserve": lambda: proposal.reserve("h2", NOW, confirm_declined=False),
    }
    try:
        verbs[verb]()
    except HireflowError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("state", UNDECIDED)
@pytest.mark.parametrize("target", UNDECIDED)
def test_a_review_moves_between_any_two_undecided_states(
    state: ReviewState, target: ReviewState
) -> None:
    before = replace(FRESH, review_state=state)
    after = before.review(target, NOW)
    assert after.review_state is target
    assert (after is before) is (state is target)


@pytest.mark.parametrize("verb", ["decline", "shortlist", "withdraw", "reserve"])
def test_nothing_leaves_hired(verb: str) -> None:
    assert refused(HIRED, verb) == "ALREADY_HIRED"


@pytest.mark.parametrize("verb", ["decline", "shortlist", "reserve"])
def test_a_withdrawn_proposal_is_out_of_reach(verb: str) -> None:
    assert refused(FRESH.withdraw(NOW), verb) == "PROPOSAL_WITHDRAWN"


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        ("decline", "HIRE_IN_PROGRESS"),
        ("withdraw", "HIRE_IN_PROGRESS"),
        ("reserve", "HIRE_IN_PROGRESS"),
        ("shortlist", ""),
    ],
)
def test_a_held_proposal_keeps_its_review_but_not_its_exits(verb: str, reason: str) -> None:
    held = FRESH.reserve("h1", NOW, confirm_declined=False)
    assert refused(held, verb) == reason


@pytest.mark.parametrize("state", UNDECIDED)
def test_a_release_gives_back_exactly_the_review_that_was(state: ReviewState) -> None:
    before = replace(FRESH, review_state=state)
    held = before.reserve("h1", NOW, confirm_declined=True)
    after = held.release("h1", NOW)
    assert (after.review_state, after.hire_id) == (state, "")
    assert held.release("another", NOW) is held


def test_only_the_hire_that_holds_it_marks_it_hired() -> None:
    held = FRESH.reserve("h1", NOW, confirm_declined=False)
    assert held.hire("h1", NOW).review_state is ReviewState.HIRED
    with pytest.raises(Refused) as caught:
        held.hire("h2", NOW)
    assert caught.value.reason == "WRONG_STATE"


def test_a_declined_proposal_needs_a_word_to_be_reserved() -> None:
    declined = FRESH.review(ReviewState.DECLINED, NOW)
    assert refused(declined, "reserve") == "PROPOSAL_DECLINED"
    assert declined.reserve("h", NOW, confirm_declined=True).hire_id == "h"


def test_every_change_changes_the_etag_and_a_stale_one_conflicts() -> None:
    after = FRESH.review(ReviewState.MAYBE, NOW)
    assert after.etag != FRESH.etag
    with pytest.raises(Conflict):
        after.require_etag(FRESH.etag)


@pytest.mark.parametrize("job_state", ["PUBLISHED", "HIRING_DONE", "ARCHIVED"])
@pytest.mark.parametrize("state", list(ReviewState))
@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_trainers_view_is_a_function_of_three_facts(
    job_state: str, state: ReviewState, withdrawn: bool
) -> None:
    seen = replace(FRESH, review_state=state, withdrawn=withdrawn).status(job_state)
    if state is ReviewState.HIRED:
        assert seen is Status.HIRED
    elif withdrawn:
        assert seen is Status.WITHDRAWN
    elif state is ReviewState.DECLINED:
        assert seen is Status.DECLINED
    elif job_state == "PUBLISHED":
        assert seen is Status.PENDING
    else:
        assert seen is Status.CLOSED


def test_a_match_tells_what_is_met_and_what_is_missing() -> None:
    found = match(PROFILE, JOB)
    assert found.score == 75
    assert found.missing == ("language:de",)
    assert "country:US|DE" in found.met


def test_a_job_without_needs_is_met_in_full() -> None:
    open_job = replace(JOB, required_languages=(), required_skills=(), required_countries=())
    assert match(PROFILE, open_job).score == 100


def test_a_candidate_is_masked_at_submission() -> None:
    assert FRESH.candidate.display_name == "Jordan L."


@pytest.mark.parametrize("state", ["HIRING_DONE", "ARCHIVED"])
def test_a_job_that_is_not_open_takes_no_proposal(state: str) -> None:
    with pytest.raises(Refused) as caught:
        Proposal.submit("p", replace(JOB, state=state), PROFILE, OFFER, NOW)
    assert caught.value.reason == "JOB_NOT_OPEN"
