"""Every state of a proposal against every verb, and the trainer's view of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from operator import methodcaller

import pytest

from services.common.errors import Conflict, Refused
from services.proposals.domain import Job, Offer, Own, Profile, Proposal, ReviewState, Status

LATER = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1)
UNDECIDED = [state for state in ReviewState if state is not ReviewState.HIRED]
VERBS: dict[str, Callable[[Proposal], Proposal]] = {
    **{f"review {state}": methodcaller("review", state, LATER) for state in ReviewState},
    "withdraw": methodcaller("withdraw", LATER),
    "reserve": methodcaller("reserve", "h", LATER, confirm_declined=False),
    "reserve declined": methodcaller("reserve", "h", LATER, confirm_declined=True),
    "release": methodcaller("release", "h1", LATER),
    "hire": methodcaller("hire", "h1", LATER),
}
# Review state, withdrawn, the hire that holds it: what the rules let a proposal be.
CONDITIONS = [
    *product(UNDECIDED, (False,), ("", "h1", "h2")),
    *product(UNDECIDED, (True,), ("",)),
    (ReviewState.HIRED, False, ""),
]


def _expected(verb: str, state: ReviewState, withdrawn: bool, hire_id: str) -> str:
    """The reason of the refusal, or nothing; written from the mission, not from the code."""
    if verb in {"release", "hire"}:
        return "" if hire_id == "h1" else "WRONG_STATE"
    leaves = verb in {"withdraw", "review DECLINED"} or verb.startswith("reserve")
    refusals = {
        "WRONG_STATE": verb == "review HIRED",
        "PROPOSAL_WITHDRAWN": withdrawn and verb != "withdraw",
        "ALREADY_HIRED": state is ReviewState.HIRED,
        "HIRE_IN_PROGRESS": hire_id != "" and leaves,
        "PROPOSAL_DECLINED": verb == "reserve" and state is ReviewState.DECLINED,
    }
    return next((reason for reason, applies in refusals.items() if applies), "")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("state", "withdrawn", "hire_id"), CONDITIONS)
def test_each_verb_is_allowed_or_refused_by_name(
    verb: str,
    state: ReviewState,
    withdrawn: bool,
    hire_id: str,
    fresh: Proposal,
) -> None:
    before = replace(fresh, review_state=state, withdrawn=withdrawn, hire_id=hire_id)
    expected = _expected(verb, state, withdrawn, hire_id)
    if expected:
        with pytest.raises(Refused) as caught:
            VERBS[verb](before)
        assert caught.value.reason == expected
        return
    after = VERBS[verb](before)
    changed = after != before
    assert after.version == before.version + changed
    assert after.update_time == (LATER if changed else before.update_time)
    assert (after is before) is not changed


@pytest.mark.parametrize(("state", "target"), [*product(UNDECIDED, UNDECIDED)])
def test_a_review_moves_between_any_two_undecided_states(
    state: ReviewState, target: ReviewState, fresh: Proposal
) -> None:
    before = replace(fresh, review_state=state)
    after = before.review(target, LATER)
    assert after.review_state is target
    assert (after is before) is (state is target)


@pytest.mark.parametrize("state", UNDECIDED)
def test_a_hire_that_lets_go_leaves_the_review_as_it_was(
    state: ReviewState, fresh: Proposal
) -> None:
    before = replace(fresh, review_state=state)
    held = before.reserve("h1", LATER, confirm_declined=True)
    assert (held.review_state, held.hire_id) == (state, "h1")
    after = held.release("h1", LATER)
    assert replace(after, version=1, update_time=before.update_time) == before


def test_a_hire_ends_by_marking_the_proposal_and_letting_go(fresh: Proposal) -> None:
    hired = fresh.reserve("h1", LATER, confirm_declined=False).hire("h1", LATER)
    assert (hired.review_state, hired.hire_id) == (ReviewState.HIRED, "")


def test_every_change_changes_the_etag_and_a_stale_one_conflicts(fresh: Proposal) -> None:
    after = fresh.review(ReviewState.MAYBE, LATER)
    after.require_etag("")
    after.require_etag(after.etag)
    with pytest.raises(Conflict) as caught:
        after.require_etag(fresh.etag)
    assert caught.value.reason == "ETAG_MISMATCH"


@pytest.mark.parametrize("job_state", ["PUBLISHED", "HIRING_DONE", "ARCHIVED"])
@pytest.mark.parametrize(("state", "withdrawn", "hire_id"), CONDITIONS)
def test_the_trainers_view_is_a_function_of_three_facts(
    state: ReviewState,
    withdrawn: bool,
    hire_id: str,
    job_state: str,
    fresh: Proposal,
) -> None:
    proposal = replace(fresh, review_state=state, withdrawn=withdrawn, hire_id=hire_id)
    open_or_closed = Status.PENDING if job_state == "PUBLISHED" else Status.CLOSED
    decided = {ReviewState.HIRED: Status.HIRED, ReviewState.DECLINED: Status.DECLINED}
    expected = Status.WITHDRAWN if withdrawn else decided.get(state, open_or_closed)
    assert Own(proposal, job_state).status is expected


def test_what_is_submitted_keeps_candidate_and_match_as_they_are_now(
    fresh: Proposal, profile: Profile
) -> None:
    assert fresh.candidate == profile.masked()
    assert (fresh.match.score, fresh.review_state) == (75, ReviewState.UNREVIEWED)


def test_no_contact_details_reach_the_employer(job: Job, profile: Profile, offer: Offer) -> None:
    address = "jordan@example.org"
    telling = replace(profile, first_name=f"Jordan {address}", title=f"Physician, {address}")
    written = replace(offer, message=f"Write to {address}", summary=f"See {address}")
    submitted = Proposal.submit("p", job, telling, None, written, now=LATER)
    assert address not in str(submitted)


@pytest.mark.parametrize("state", ["DRAFT", "HIRING_DONE", "ARCHIVED", "UNHEARD_OF"])
def test_a_job_that_is_not_open_takes_no_proposal_from_anybody(
    state: str, job: Job, offer: Offer
) -> None:
    with pytest.raises(Refused) as caught:
        Proposal.submit("p", replace(job, state=state), None, None, offer, now=LATER)
    assert caught.value.reason == "JOB_NOT_OPEN"


def test_nobody_submits_without_a_profile(job: Job, offer: Offer) -> None:
    with pytest.raises(Refused) as caught:
        Proposal.submit("p", job, None, None, offer, now=LATER)
    assert caught.value.reason == "PROFILE_MISSING"
