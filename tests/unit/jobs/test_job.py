"""Every state of a job against every transition, and the arithmetic of its positions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import Conflict, InvalidInput, Refused
from services.jobs.domain import Job, Pay, PayKind, Posting, Settings, State, Ties, Visibility

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)

Transition = Callable[[Job], Job]

# What each transition does to a job: the state it leads to from each state that knows it.
TRANSITIONS: dict[str, tuple[Transition, dict[State, State]]] = {
    "update": (
        lambda job: job.update(replace(job.posting, title="Rate dogs"), LATER),
        {state: state for state in (State.DRAFT, State.PUBLISHED, State.HIRING_DONE)},
    ),
    "publish": (lambda job: job.publish(LATER), {State.DRAFT: State.PUBLISHED}),
    "finish hiring": (
        lambda job: job.finish_hiring(LATER),
        {State.PUBLISHED: State.HIRING_DONE},
    ),
    "reopen hiring": (
        lambda job: job.reopen_hiring(LATER),
        {State.HIRING_DONE: State.PUBLISHED},
    ),
    "archive": (
        lambda job: job.archive(Ties(), LATER),
        {State.DRAFT: State.ARCHIVED, State.HIRING_DONE: State.ARCHIVED},
    ),
    "reserve": (lambda job: job.reserve(LATER), {State.PUBLISHED: State.PUBLISHED}),
    "release": (
        lambda job: job.release(LATER),
        {state: state for state in (State.PUBLISHED, State.HIRING_DONE, State.ARCHIVED)},
    ),
    "fill": (
        lambda job: job.fill(LATER),
        {State.PUBLISHED: State.PUBLISHED, State.HIRING_DONE: State.HIRING_DONE},
    ),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_every_transition_is_known_to_its_states_and_refused_by_all_others(
    name: str, state: State, jobs: dict[State, Job]
) -> None:
    transition, known = TRANSITIONS[name]
    before = jobs[state]
    if state in known:
        after = transition(before)
        assert after.state is known[state]
        assert after.version == before.version + 1
        assert after.etag != before.etag
        assert after.update_time == LATER
        return
    with pytest.raises(Refused) as refused:
        transition(before)
    assert refused.value.reason == ("JOB_NOT_OPEN" if name == "reserve" else "WRONG_STATE")


def test_publishing_keeps_the_time_at_which_it_happened(jobs: dict[State, Job]) -> None:
    published = jobs[State.DRAFT].publish(LATER)
    assert published.publish_time == LATER
    assert published.finish_hiring(NOON).reopen_hiring(NOON).publish_time == LATER


def test_publishing_an_empty_draft_names_every_missing_field_at_once() -> None:
    draft = Job.draft("job-1", "org-1", Posting(title="  "), NOON)
    with pytest.raises(Refused) as refused:
        draft.publish(NOON)
    assert refused.value.reason == "JOB_INCOMPLETE"
    assert [violation.field for violation in refused.value.violations] == [
        "job.title",
        "job.description",
        "job.category",
        "job.pay.kind",
        "job.pay.maximum_minor_units",
        "job.pay.currency_code",
        "job.positions",
    ]


def test_a_published_job_cannot_lose_a_field_that_publishing_needed(
    jobs: dict[State, Job], posting: Posting
) -> None:
    without_price = replace(posting, pay=Pay(PayKind.FIXED, 0, 0, ""))
    assert jobs[State.DRAFT].update(without_price, LATER).posting == without_price
    with pytest.raises(Refused) as refused:
        jobs[State.PUBLISHED].update(without_price, LATER)
    assert refused.value.reason == "JOB_INCOMPLETE"
    assert [violation.field for violation in refused.value.violations] == [
        "job.pay.maximum_minor_units",
        "job.pay.currency_code",
    ]


def test_a_hire_that_finds_no_free_position_is_refused(jobs: dict[State, Job]) -> None:
    full = jobs[State.PUBLISHED].reserve(NOON)
    assert full.free == 0
    with pytest.raises(Refused) as refused:
        full.reserve(NOON)
    assert refused.value.reason == "NO_POSITION"


def test_positions_cannot_go_below_those_filled_and_reserved(
    jobs: dict[State, Job], posting: Posting
) -> None:
    taken = jobs[State.PUBLISHED].fill(NOON).reserve(NOON)
    with pytest.raises(Refused) as refused:
        taken.update(replace(posting, positions=1), NOON)
    assert refused.value.reason == "POSITIONS_IN_USE"
    assert taken.update(replace(posting, positions=3), NOON).free == 1
    with pytest.raises(Refused) as refused:
        taken.update(replace(posting, positions=1, title=""), NOON)
    fields = [violation.field for violation in refused.value.violations]
    assert fields == ["job.positions", "job.title"]


@pytest.mark.parametrize(
    "ties", [Ties(hires=1), Ties(contracts=1), Ties(milestones=1), Ties(unheard=1)]
)
def test_a_job_whose_work_is_not_over_cannot_be_archived(
    ties: Ties, jobs: dict[State, Job]
) -> None:
    with pytest.raises(Refused) as refused:
        jobs[State.HIRING_DONE].archive(ties, NOON)
    assert refused.value.reason == "JOB_IN_USE"


@pytest.mark.parametrize("wished", [True, False])
def test_a_job_finishes_by_itself_only_when_staffed_open_and_told_to(
    wished: bool, jobs: dict[State, Job], posting: Posting
) -> None:
    settings = Settings(finish_when_filled=wished)
    job = jobs[State.PUBLISHED].update(replace(posting, settings=settings), NOON)
    one_filled = job.fill(NOON)
    assert one_filled.finish_by_itself(NOON) is one_filled
    staffed = one_filled.reserve(NOON).fill(NOON)
    finished = staffed.finish_by_itself(NOON)
    assert (finished.state is State.HIRING_DONE) is wished
    assert finished.finished_by_itself is wished
    closed = staffed.finish_hiring(NOON)
    assert closed.finish_by_itself(NOON) is closed


def test_only_the_latest_end_of_hiring_tells_whether_it_came_by_itself(
    jobs: dict[State, Job], posting: Posting
) -> None:
    alone = replace(posting, positions=1, settings=Settings(finish_when_filled=True))
    job = jobs[State.PUBLISHED].update(alone, NOON).fill(NOON).finish_by_itself(NOON)
    assert job.vacate(NOON).reopen_by_itself(NOON).state is State.PUBLISHED
    reopened = job.reopen_hiring(NOON)
    assert not reopened.finished_by_itself
    by_hand = reopened.finish_hiring(NOON).vacate(NOON)
    assert by_hand.reopen_by_itself(NOON) is by_hand
    archived = job.archive(Ties(), NOON).vacate(NOON)
    assert archived.reopen_by_itself(NOON) is archived


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("visibility", Visibility)
def test_a_trainer_reads_a_job_only_while_published_and_open_or_inviting(
    state: State, visibility: Visibility, jobs: dict[State, Job], posting: Posting
) -> None:
    shown = replace(posting, settings=Settings(visibility=visibility))
    job = replace(jobs[state], posting=shown)
    by_anyone = visibility in {Visibility.PUBLIC, Visibility.UNLISTED}
    assert job.open_to_trainer(invited=False) is (by_anyone and state is State.PUBLISHED)
    assert job.open_to_trainer(invited=True) is (state is State.PUBLISHED)


def test_a_job_never_holds_more_taken_positions_than_it_has(jobs: dict[State, Job]) -> None:
    with pytest.raises(ValueError, match="more positions"):
        replace(jobs[State.PUBLISHED], filled=2, reserved=1)
    with pytest.raises(ValueError, match="more positions"):
        replace(jobs[State.PUBLISHED], reserved=0).release(NOON)


@given(st.lists(st.sampled_from(["reserve", "release", "fill"]), max_size=40))
def test_free_filled_and_reserved_always_add_up_to_the_positions(verbs: list[str]) -> None:
    pay = Pay(PayKind.FIXED, 100, 200, "USD")
    posting = Posting("Title", "Text", "audio", pay=pay, positions=3)
    job = Job.draft("job-1", "org-1", posting, NOON).publish(NOON)
    for verb in verbs:
        if verb == "reserve" and job.free == 0:
            with pytest.raises(Refused):
                job.reserve(NOON)
        elif verb == "reserve" or job.reserved:
            job = TRANSITIONS[verb][0](job)
        assert job.free + job.filled + job.reserved == 3


def test_only_the_present_etag_or_none_at_all_is_accepted(jobs: dict[State, Job]) -> None:
    draft = jobs[State.DRAFT]
    draft.require_etag("")
    draft.require_etag(draft.etag)
    with pytest.raises(Conflict) as conflict:
        draft.publish(NOON).require_etag(draft.etag)
    assert conflict.value.reason == "ETAG_MISMATCH"


def test_a_job_takes_no_posting_outside_its_limits(jobs: dict[State, Job]) -> None:
    bad = Posting(title="x" * 201)
    with pytest.raises(InvalidInput):
        Job.draft("job-1", "org-1", bad, NOON)
    with pytest.raises(InvalidInput):
        jobs[State.PUBLISHED].update(bad, NOON)
