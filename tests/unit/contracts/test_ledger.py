"""The books: every movement balances, and so does every sequence of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.domain import Account, Balances, EntryKind, Movement, balances, ledger

AMOUNTS = st.integers(min_value=0, max_value=99_999_999)
TWO_WAYS = (
    ledger.funding,
    ledger.refund,
    ledger.refund_failed,
    ledger.chargeback,
    ledger.chargeback_reversed,
)


@st.composite
def movements(draw: st.DrawFn) -> Movement:
    """Any movement of the mission, of any amount that moves something."""
    amount = draw(st.integers(min_value=1, max_value=99_999_999))
    if draw(st.booleans()):
        return draw(st.sampled_from((ledger.transfer, ledger.transfer_reversed)))(amount)
    return draw(st.sampled_from(TWO_WAYS))(amount, draw(AMOUNTS))


@given(movement=movements())
def test_the_postings_of_every_movement_sum_to_zero(movement: Movement) -> None:
    assert sum(movement.postings.values()) == 0
    assert 0 not in movement.postings.values()


@given(booked=st.lists(movements(), max_size=40))
def test_after_any_sequence_of_movements_every_minor_unit_is_accounted_for(
    booked: list[Movement],
) -> None:
    for length in range(len(booked) + 1):
        assert balances(booked[:length]).equation_holds


@given(booked=st.lists(movements(), max_size=10), held=AMOUNTS, fees=AMOUNTS)
def test_a_movement_and_its_return_leave_the_balances_as_they_were(
    booked: list[Movement], held: int, fees: int
) -> None:
    if held + fees == 0:
        return
    there_and_back = [ledger.refund(held, fees), ledger.refund_failed(held, fees)]
    assert balances([*booked, *there_and_back]) == balances(booked)


def test_the_worked_example_is_held_for_the_trainer_and_kept_as_fees() -> None:
    funding = ledger.funding(45000, 5495)
    assert dict(funding.postings) == {
        Account.CHARGED: 50495,
        Account.HELD: -45000,
        Account.FEES: -5495,
    }
    told = balances([funding])
    assert (told.charged, told.held, told.fees) == (50495, 45000, 5495)


def test_a_full_refund_before_activation_gives_the_fees_back() -> None:
    told = balances([ledger.funding(45000, 5495), ledger.refund(45000, 5495)])
    assert told == Balances(50495, 0, 0, 50495, 0, 0, 0)


def test_a_milestone_that_was_released_and_then_charged_back_is_the_platforms_loss() -> None:
    told = balances(
        [ledger.funding(45000, 5495), ledger.transfer(45000), ledger.chargeback(0, 50495)]
    )
    assert told == Balances(
        charged=50495,
        held=0,
        transferred=45000,
        refunded=0,
        charged_back=50495,
        fees=5495,
        platform_loss=50495,
    )
    assert told.equation_holds


def test_the_equation_fails_where_money_is_unaccounted_for() -> None:
    assert not Balances(50495, 45000, 0, 0, 0, 5494, 0).equation_holds


@pytest.mark.parametrize(
    "postings",
    [
        {},
        {Account.CHARGED: 1},
        {Account.CHARGED: 0, Account.HELD: 0},
        {Account.CHARGED: 2, Account.HELD: -1},
    ],
)
def test_postings_that_do_not_balance_are_never_a_movement(postings: dict[Account, int]) -> None:
    with pytest.raises(ValueError, match="zero"):
        Movement(EntryKind.FUNDING, postings)
