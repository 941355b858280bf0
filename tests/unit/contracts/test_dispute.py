"""Disputes: each word on one counts once, and moves the milestone that it finds held or paid."""

from dataclasses import replace

import pytest

from services.common.errors import Refused
from services.contracts.domain import (
    Contract,
    ContractState,
    Dispute,
    DisputeState,
    MilestoneState,
    MilestoneVerb,
)

OPEN = Dispute("dp_1", "ch_1", 50495, "USD", DisputeState.OPEN)
WON = replace(OPEN, state=DisputeState.WON)
LOST = replace(OPEN, state=DisputeState.LOST)


@pytest.mark.parametrize(
    ("told", "known", "closes"),
    [
        (OPEN, OPEN, False),
        (WON, OPEN, True),
        (LOST, OPEN, True),
        (WON, WON, False),
        (LOST, LOST, False),
        (OPEN, WON, False),
        (OPEN, LOST, False),
    ],
)
def test_a_dispute_is_decided_once_and_an_outdated_word_changes_nothing(
    told: Dispute, known: Dispute, closes: bool
) -> None:
    assert told.closes(known) is closes


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (WON, LOST),
        (LOST, WON),
        (replace(OPEN, amount=1), OPEN),
        (replace(OPEN, charge_id="ch_2"), OPEN),
        (replace(OPEN, currency="EUR"), OPEN),
    ],
)
def test_a_dispute_that_contradicts_the_known_one_is_refused(told: Dispute, known: Dispute) -> None:
    with pytest.raises(Refused) as caught:
        told.closes(known)
    assert caught.value.reason == "WRONG_STATE"


def _state(contract: Contract) -> MilestoneState:
    return contract.milestones[0].state


@pytest.mark.parametrize(
    ("won", "after"), [(True, MilestoneState.ACTIVE_FUNDED), (False, MilestoneState.REFUNDED)]
)
def test_a_held_milestone_is_disputed_and_goes_where_the_decision_leads(
    contracts: dict[ContractState, Contract], won: bool, after: MilestoneState
) -> None:
    active = contracts[ContractState.ACTIVE]
    disputed = active.dispute("milestone-1")
    assert (_state(disputed), disputed.version) == (MilestoneState.DISPUTED, active.version + 1)
    closed = disputed.close_dispute("milestone-1", won=won)
    assert (_state(closed), closed.version) == (after, active.version + 2)


def test_what_is_neither_held_nor_paid_is_left_as_it_is(
    contracts: dict[ContractState, Contract],
) -> None:
    for state in (ContractState.PENDING, ContractState.CANCELLED):
        contract = contracts[state]
        assert contract.dispute("milestone-1") == contract
        assert contract.close_dispute("milestone-1", won=True) == contract


def test_a_second_dispute_of_a_disputed_milestone_moves_it_no_further(
    contracts: dict[ContractState, Contract],
) -> None:
    disputed = contracts[ContractState.ACTIVE].dispute("milestone-1")
    assert disputed.dispute("milestone-1") == disputed
    (milestone,) = disputed.milestones
    assert milestone.apply(MilestoneVerb.WIN_DISPUTE).state is MilestoneState.ACTIVE_FUNDED
