"""Every state of a contract against every transition, and what its milestones do with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.common.errors import InvalidInput, NotFound, Refused
from services.contracts.domain import (
    Charge,
    Contract,
    ContractState,
    MilestoneState,
    MilestoneTerms,
    Quote,
    RecordedCharge,
)

S = ContractState
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
MILESTONE = "milestone-1"
LATE = Charge("ch_late", "pi_late", "funding-late", 50495, "USD")

Transition = Callable[[Contract], Contract]


def _amend(contract: Contract) -> Contract:
    terms = MilestoneTerms("Fewer", "", 10000, "USD")
    return contract.amend(MILESTONE, terms, Quote(10000, 1000, 995, "USD"))


def _resolved(contract: Contract) -> Contract:
    refunded = replace(contract.milestones[0], state=MilestoneState.REFUNDED)
    return replace(contract, milestones=(refunded,))


# Each transition: what it does, the state it leads to from each state that knows it.
TRANSITIONS: dict[str, tuple[Transition, dict[S, S]]] = {
    "amend": (_amend, {S.PENDING: S.PENDING}),
    "activate": (lambda it: _uncharged(it).activate(MILESTONE, LATE, LATER), {S.PENDING: S.ACTIVE}),
    "cancel": (
        lambda it: it.cancel(LATER),
        {S.PENDING: S.CANCELLED, S.CANCELLED: S.CANCELLED},
    ),
    "end": (lambda it: _resolved(it).end(LATER), {S.ACTIVE: S.ENDED}),
    "record a refunded charge": (
        lambda it: it.record_refunded_charge(MILESTONE, LATE),
        {S.PENDING: S.PENDING, S.CANCELLED: S.CANCELLED},
    ),
}


def _uncharged(contract: Contract) -> Contract:
    milestone = replace(
        contract.milestones[0], charge_id="", fund_time=None, state=MilestoneState.NOT_FUNDED
    )
    return replace(contract, milestones=(milestone,))


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_every_transition_is_known_to_its_states_and_refused_by_all_others(
    name: str, state: S, contracts: dict[S, Contract]
) -> None:
    transition, known = TRANSITIONS[name]
    before = contracts[state]
    if name == "amend" and state in {S.ACTIVE, S.ENDED}:
        before = _uncharged(before)
    if state in known:
        after = transition(before)
        assert after.state is known[state]
        again = name == "cancel" and state is S.CANCELLED
        assert after.version == before.version + (0 if again else 1)
        assert (after.etag == before.etag) is again
        return
    with pytest.raises(Refused) as refused:
        transition(before)
    cancelled = state is S.CANCELLED
    assert refused.value.reason == ("CONTRACT_CANCELLED" if cancelled else "WRONG_STATE")


def test_activation_funds_the_milestone_and_keeps_the_charge(
    contracts: dict[S, Contract], charge: Charge
) -> None:
    active = contracts[S.PENDING].activate(MILESTONE, charge, LATER)
    milestone = active.milestones[0]
    assert (milestone.state, milestone.charge_id) == (MilestoneState.ACTIVE_FUNDED, "ch_1")
    assert (active.activate_time, milestone.fund_time) == (LATER, LATER)


@pytest.mark.parametrize(("amount", "currency"), [(50494, "USD"), (50496, "USD"), (50495, "EUR")])
def test_a_charge_of_anything_but_the_quoted_total_is_refused(
    amount: int, currency: str, contracts: dict[S, Contract], charge: Charge
) -> None:
    wrong = replace(charge, amount=amount, currency=currency)
    with pytest.raises(Refused) as refused:
        contracts[S.PENDING].activate(MILESTONE, wrong, LATER)
    assert refused.value.reason == "CHARGE_MISMATCH"


def test_another_charge_on_an_active_milestone_is_refused_by_name(
    contracts: dict[S, Contract],
) -> None:
    with pytest.raises(Refused) as refused:
        contracts[S.ACTIVE].activate(MILESTONE, LATE, LATER)
    assert refused.value.reason == "CHARGE_RECORDED"


def test_cancelling_gives_up_the_milestones(contracts: dict[S, Contract]) -> None:
    cancelled = contracts[S.PENDING].cancel(LATER)
    assert cancelled.milestones[0].state is MilestoneState.CANCELLED
    assert cancelled.end_time == LATER


def test_a_milestone_whose_late_charge_was_given_back_stays_refunded_when_cancelled(
    contracts: dict[S, Contract],
) -> None:
    recorded = contracts[S.PENDING].record_refunded_charge(MILESTONE, LATE)
    assert recorded.milestones[0].state is MilestoneState.REFUNDED
    cancelled = recorded.cancel(LATER)
    assert cancelled.state is S.CANCELLED
    assert cancelled.milestones[0].state is MilestoneState.REFUNDED


def test_a_milestone_that_was_given_up_before_does_not_hinder_the_cancel(
    contracts: dict[S, Contract],
) -> None:
    pending = contracts[S.PENDING]
    given_up = replace(pending.milestones[0], state=MilestoneState.CANCELLED)
    cancelled = replace(pending, milestones=(given_up,)).cancel(LATER)
    assert (cancelled.state, cancelled.milestones) == (S.CANCELLED, (given_up,))


def test_a_late_charge_that_was_given_back_cannot_be_followed_by_an_activation(
    contracts: dict[S, Contract], charge: Charge
) -> None:
    recorded = contracts[S.PENDING].record_refunded_charge(MILESTONE, LATE)
    with pytest.raises(Refused) as refused:
        recorded.activate(MILESTONE, charge, LATER)
    assert refused.value.reason == "WRONG_STATE"


def test_a_late_charge_of_any_amount_is_noted_but_none_of_another_currency(
    contracts: dict[S, Contract],
) -> None:
    contracts[S.CANCELLED].record_refunded_charge(MILESTONE, replace(LATE, amount=7))
    with pytest.raises(Refused) as refused:
        contracts[S.PENDING].record_refunded_charge(MILESTONE, replace(LATE, currency="EUR"))
    assert refused.value.reason == "CHARGE_MISMATCH"


def test_the_very_same_amendment_again_changes_nothing(contracts: dict[S, Contract]) -> None:
    amended = _amend(contracts[S.PENDING])
    assert amended.milestones[0].quote.total == 11995
    assert _amend(amended) is amended


def test_a_contract_keeps_its_one_currency(contracts: dict[S, Contract]) -> None:
    euros = MilestoneTerms("Other", "", 10000, "EUR")
    with pytest.raises(InvalidInput) as invalid:
        contracts[S.PENDING].amend(MILESTONE, euros, Quote(10000, 1000, 995, "EUR"))
    fields = [each.field for each in invalid.value.violations]
    assert fields == ["milestone.amount.currency_code"]
    with pytest.raises(ValueError, match="one currency"):
        replace(contracts[S.PENDING], currency="EUR")


def test_a_contract_with_an_unresolved_milestone_cannot_end(contracts: dict[S, Contract]) -> None:
    with pytest.raises(Refused) as refused:
        contracts[S.ACTIVE].end(LATER)
    assert refused.value.reason == "WRONG_STATE"


def test_a_milestone_of_another_contract_is_not_found(contracts: dict[S, Contract]) -> None:
    with pytest.raises(NotFound):
        contracts[S.PENDING].activate("milestone-9", LATE, LATER)


@pytest.mark.parametrize("state", S)
def test_a_further_milestone_is_quoted_while_the_contract_lives(
    state: S, contracts: dict[S, Contract], quote: Quote
) -> None:
    if state in {S.PENDING, S.ACTIVE}:
        contracts[state].require_room_for(quote)
        with pytest.raises(InvalidInput):
            contracts[state].require_room_for(replace(quote, currency="EUR"))
        return
    with pytest.raises(Refused) as refused:
        contracts[state].require_room_for(quote)
    reasons = {S.ENDED: "WRONG_STATE", S.CANCELLED: "CONTRACT_CANCELLED"}
    assert refused.value.reason == reasons[state]


def test_a_repeated_proposal_is_accepted_whatever_became_of_the_contract_unless_it_differs(
    contracts: dict[S, Contract],
) -> None:
    proposed = contracts[S.PENDING]
    contracts[S.ACTIVE].require_same(replace(proposed, create_time=LATER))
    with pytest.raises(Refused) as cancelled:
        contracts[S.CANCELLED].require_same(proposed)
    assert cancelled.value.reason == "CONTRACT_CANCELLED"
    with pytest.raises(Refused) as different:
        contracts[S.ACTIVE].require_same(_amend(proposed))
    assert different.value.reason == "CONTRACT_EXISTS"


def test_a_charge_is_booked_as_one_thing_only(charge: Charge) -> None:
    funded = RecordedCharge(charge, "contract-1", MILESTONE)
    funded.require_same(RecordedCharge(charge, "contract-1", MILESTONE))
    for other in (
        None,
        replace(funded, refund_id="re_1"),
        replace(funded, contract_id="contract-2"),
        replace(funded, charge=replace(charge, amount=1)),
    ):
        with pytest.raises(Refused) as refused:
            funded.require_same(other)
        assert refused.value.reason == "CHARGE_RECORDED"
