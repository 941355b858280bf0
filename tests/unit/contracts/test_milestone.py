"""Every state of a milestone against every verb."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.common.errors import Refused
from services.contracts.domain import (
    Milestone,
    MilestoneState,
    MilestoneTerms,
    MilestoneVerb,
    Quote,
)

S = MilestoneState
V = MilestoneVerb
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

# The mission's life of a milestone, state by state; what is not here is refused.
LIFE: dict[S, dict[V, S]] = {
    S.NOT_FUNDED: {
        V.AMEND: S.NOT_FUNDED,
        V.START_FUNDING: S.FUNDING,
        V.FUND: S.ACTIVE_FUNDED,
        V.CANCEL: S.CANCELLED,
        V.RECORD_REFUNDED_CHARGE: S.REFUNDED,
    },
    S.FUNDING: {
        V.AMEND: S.FUNDING,
        V.STOP_FUNDING: S.NOT_FUNDED,
        V.FUND: S.ACTIVE_FUNDED,
        V.CANCEL: S.CANCELLED,
        V.RECORD_REFUNDED_CHARGE: S.REFUNDED,
    },
    S.ACTIVE_FUNDED: {
        V.SUBMIT: S.PENDING_APPROVAL,
        V.DISPUTE: S.DISPUTED,
        V.REFUND: S.REFUNDED,
    },
    S.PENDING_APPROVAL: {
        V.REQUEST_CHANGES: S.ACTIVE_FUNDED,
        V.RELEASE: S.RELEASING,
        V.DISPUTE: S.DISPUTED,
        V.REFUND: S.REFUNDED,
    },
    S.RELEASING: {V.PAY: S.PAID, V.DISPUTE: S.DISPUTED},
    S.PAID: {V.DISPUTE: S.DISPUTED},
    S.DISPUTED: {
        V.WIN_DISPUTE: S.PENDING_APPROVAL,
        V.LOSE_DISPUTE: S.REFUNDED,
        V.SPLIT: S.RELEASING,
    },
    S.CANCELLED: {V.RECORD_REFUNDED_CHARGE: S.REFUNDED},
    S.REFUNDED: {V.RECORD_REFUNDED_CHARGE: S.REFUNDED},
}
UNCHARGED = {S.NOT_FUNDED, S.FUNDING, S.CANCELLED, S.REFUNDED}


@pytest.fixture
def milestones(terms: MilestoneTerms, quote: Quote) -> dict[S, Milestone]:
    """The same milestone in every state; the dispute found it awaiting approval."""
    agreed = Milestone("milestone-1", terms, quote, S.NOT_FUNDED, NOON)
    funded = agreed.fund("ch_1", NOON)
    return {
        state: agreed
        if state is S.NOT_FUNDED
        else replace(
            agreed if state in UNCHARGED else funded,
            state=state,
            disputed_in=S.PENDING_APPROVAL if state is S.DISPUTED else None,
        )
        for state in S
    }


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("verb", V)
def test_every_verb_is_known_to_its_states_and_refused_by_all_others(
    verb: V, state: S, milestones: dict[S, Milestone]
) -> None:
    before = milestones[state]
    if verb in LIFE[state]:
        assert before.apply(verb).state is LIFE[state][verb]
        return
    with pytest.raises(Refused) as refused:
        before.apply(verb)
    assert refused.value.reason == "WRONG_STATE"
    assert refused.value.message.endswith(f" cannot {verb}")


@pytest.mark.parametrize("found", [S.ACTIVE_FUNDED, S.PENDING_APPROVAL, S.RELEASING, S.PAID])
def test_a_dispute_that_is_won_leads_back_to_where_it_found_the_milestone(
    found: S, milestones: dict[S, Milestone]
) -> None:
    before = milestones[found]
    assert before.apply(V.DISPUTE).apply(V.WIN_DISPUTE) == before


def test_a_milestone_that_was_paid_before_its_dispute_cannot_be_split(
    milestones: dict[S, Milestone],
) -> None:
    disputed = milestones[S.PAID].apply(V.DISPUTE)
    with pytest.raises(Refused) as refused:
        disputed.apply(V.SPLIT)
    assert refused.value.reason == "WRONG_STATE"


@pytest.mark.parametrize("state", S)
def test_a_second_charge_is_refused_by_name_whatever_became_of_the_first(
    state: S, milestones: dict[S, Milestone]
) -> None:
    if state in UNCHARGED:
        return
    with pytest.raises(Refused) as refused:
        milestones[state].fund("ch_2", NOON)
    assert refused.value.reason == "CHARGE_RECORDED"


def test_funding_keeps_the_charge_and_the_time(milestones: dict[S, Milestone]) -> None:
    funded = milestones[S.FUNDING].fund("ch_9", NOON)
    assert (funded.charge_id, funded.fund_time) == ("ch_9", NOON)


def test_a_milestone_owes_nothing_more_once_it_is_unfunded_paid_or_given_back(
    milestones: dict[S, Milestone],
) -> None:
    resolved = {state for state, milestone in milestones.items() if milestone.resolved}
    assert resolved == {S.NOT_FUNDED, S.PAID, S.CANCELLED, S.REFUNDED}


def test_a_milestone_that_contradicts_itself_is_never_built(
    milestones: dict[S, Milestone], quote: Quote
) -> None:
    agreed = milestones[S.NOT_FUNDED]
    with pytest.raises(ValueError, match="dispute"):
        replace(agreed, state=S.DISPUTED)
    with pytest.raises(ValueError, match="charge"):
        replace(agreed, charge_id="ch_1")
    with pytest.raises(ValueError, match="quote"):
        replace(agreed, quote=replace(quote, amount=1))
