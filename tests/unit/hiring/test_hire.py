from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.common.errors import Conflict, Refused
from workflows.hire import contract
from workflows.hiring.domain import (
    Actor,
    Fact,
    Hire,
    HireChanges,
    HireState,
    HireTerms,
    Stage,
    StepRecord,
    WaitingFor,
    Wish,
    fact_of,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
WORKER = Actor("SERVICE", "service:worker")


def step(stage: Stage, changes: HireChanges | None = None, **more: object) -> StepRecord:
    values: dict[str, object] = {
        "hire_id": "h-1",
        "number": 2,
        "stage": stage,
        "what": "stepped",
        "time": LATER,
        "actor": WORKER,
        "changes": changes or HireChanges(),
    }
    return StepRecord(**{**values, **more})  # type: ignore[arg-type] # fields by name


def test_the_stages_are_the_workflows_own() -> None:
    assert [stage.value for stage in Stage] == [stage.value for stage in contract.Stage]


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.ENDED])
def test_a_running_hire_takes_a_step_to_any_stage(hire: Hire, stage: Stage) -> None:
    after = hire.after(step(stage))
    assert (after.stage, after.step, after.update_time) == (stage, 2, LATER)
    assert after.state is HireState.RUNNING
    assert after.end_time is None
    assert after.etag != hire.etag


@pytest.mark.parametrize("state", [HireState.HIRED, HireState.UNDONE])
@pytest.mark.parametrize("stage", list(Stage))
def test_a_hire_that_ended_takes_no_step(hire: Hire, state: HireState, stage: Stage) -> None:
    with pytest.raises(Refused) as refused:
        replace(hire, state=state, stage=Stage.ENDED).after(step(stage))
    assert refused.value.reason == "WRONG_STATE"


def test_what_a_hire_waits_for_is_what_its_last_step_says(hire: Hire) -> None:
    waiting = hire.after(
        step(Stage.FUNDING, waiting_for=WaitingFor.CLIENT_CONFIRMATION, wait_deadline=LATER)
    )
    assert waiting.client_must_act
    assert waiting.wait_deadline == LATER
    working = waiting.after(step(Stage.CONTRACT_ACTIVATION, number=3))
    assert (working.waiting_for, working.wait_deadline) == (None, None)
    assert not working.client_must_act


def test_a_blocked_hire_waits_for_an_operator_until_its_next_step(hire: Hire) -> None:
    blocked = hire.after(step(Stage.FUNDING, HireChanges(blocked_reason="CHARGE_MISMATCH")))
    assert blocked.waiting_for is WaitingFor.OPERATOR
    assert blocked.blocked_reason == "CHARGE_MISMATCH"
    free = blocked.after(step(Stage.FUNDING, number=3))
    assert (free.waiting_for, free.blocked_reason) == (None, None)


def test_a_decline_code_stays_until_an_attempt_clears_it(hire: Hire) -> None:
    declined = hire.after(step(Stage.FUNDING, HireChanges(decline_code="insufficient_funds")))
    assert declined.after(step(Stage.FUNDING)).decline_code == "insufficient_funds"
    assert declined.after(step(Stage.FUNDING, HireChanges(decline_code=""))).decline_code is None


def test_a_hire_ends_hired_only_when_it_is_paid(hire: Hire) -> None:
    hired = HireChanges(state=HireState.HIRED)
    with pytest.raises(Refused):
        hire.after(step(Stage.ENDED, hired))
    ended = replace(hire, charge_id="ch_1").after(step(Stage.ENDED, hired))
    assert (ended.state, ended.stage, ended.end_time) == (HireState.HIRED, Stage.ENDED, LATER)


def test_a_paid_hire_is_undone_only_when_it_was_refunded(hire: Hire) -> None:
    undone = HireChanges(state=HireState.UNDONE, end_reason="HIRE_CANCELLED")
    paid = replace(hire, charge_id="ch_1")
    with pytest.raises(Refused):
        paid.after(step(Stage.ENDED, undone))
    assert paid.after(step(Stage.ENDED, undone, refunded=True)).state is HireState.UNDONE


def test_a_hire_is_undone_for_a_reason(hire: Hire) -> None:
    with pytest.raises(Refused):
        hire.after(step(Stage.ENDED, HireChanges(state=HireState.UNDONE)))


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        (HireChanges(state=HireState.HIRED), Fact.COMPLETED),
        (HireChanges(state=HireState.UNDONE, end_reason="HIRE_CANCELLED"), Fact.CANCELLED),
        (HireChanges(state=HireState.UNDONE, end_reason="PAYMENT_EXPIRED"), Fact.EXPIRED),
        (HireChanges(state=HireState.UNDONE, end_reason="NO_POSITION"), Fact.FAILED),
        (HireChanges(accepted_revision=2), Fact.SUPERSEDED),
        (HireChanges(accepted_revision=1), Fact.STAGE_CHANGED),
        (HireChanges(blocked_reason="NOT_FOUND"), Fact.BLOCKED),
        (HireChanges(refused_revision=2), Fact.STAGE_CHANGED),
        (HireChanges(), Fact.STAGE_CHANGED),
    ],
)
def test_a_step_makes_exactly_one_fact(changes: HireChanges, fact: Fact) -> None:
    assert fact_of(changes) is fact


def test_the_same_wish_attaches_whatever_the_stage(
    hire: Hire, terms: HireTerms, wish: Wish
) -> None:
    for stage in set(Stage) - {Stage.UNDOING, Stage.ENDED}:
        assert replace(hire, stage=stage).takes_up(terms, wish)
    assert replace(hire, charge_id="ch_1").takes_up(terms, wish)


def test_another_wish_is_offered_while_nothing_is_paid(
    hire: Hire, terms: HireTerms, wish: Wish
) -> None:
    other = replace(wish, milestone=replace(wish.milestone, amount=50_000))
    assert not hire.takes_up(terms, other)
    with pytest.raises(Conflict) as conflict:
        replace(hire, charge_id="ch_1").takes_up(terms, other)
    assert conflict.value.reason == "PAYMENT_ALREADY_SUCCEEDED"


def test_nothing_joins_a_hire_that_is_being_undone_or_is_hired(
    hire: Hire, terms: HireTerms, wish: Wish
) -> None:
    with pytest.raises(Conflict) as ending:
        replace(hire, stage=Stage.UNDOING).takes_up(terms, wish)
    assert ending.value.reason == "HIRE_ENDING"
    with pytest.raises(Refused) as hired:
        replace(hire, state=HireState.HIRED, stage=Stage.ENDED).takes_up(terms, wish)
    assert hired.value.reason == "ALREADY_HIRED"
