"""What a milestone costs, and what may be agreed."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidInput, Problems
from services.contracts.domain import Fees, MilestoneTerms, Quote

FEES = Fees(marketplace_basis_points=1000, contract=995)


def test_a_first_milestone_of_450_dollars_costs_504_dollars_and_95_cents() -> None:
    quote = FEES.quote(45000, "USD", first=True)
    assert quote == Quote(45000, 4500, 995, "USD")
    assert (quote.fees, quote.total) == (5495, 50495)


def test_a_further_milestone_of_100_dollars_costs_110_dollars() -> None:
    quote = FEES.quote(10000, "USD", first=False)
    assert (quote.contract_fee, quote.total) == (0, 11000)


@pytest.mark.parametrize(
    ("amount", "basis_points", "fee"),
    [(50, 1000, 5), (54, 1000, 5), (55, 1000, 6), (56, 1000, 6), (50, 0, 0), (99, 10_000, 99)],
)
def test_the_marketplace_fee_is_rounded_half_up(amount: int, basis_points: int, fee: int) -> None:
    assert Fees(basis_points, 0).quote(amount, "USD", first=True).marketplace_fee == fee


@given(amount=st.integers(50, 40_000_000), basis_points=st.integers(0, 10_000))
def test_rounding_moves_a_fee_by_half_a_minor_unit_at_most(amount: int, basis_points: int) -> None:
    quote = Fees(basis_points, 995).quote(amount, "USD", first=True)
    moved = quote.marketplace_fee - Fraction(amount * basis_points, 10_000)
    assert -Fraction(1, 2) < moved <= Fraction(1, 2)
    assert quote.total == amount + quote.marketplace_fee + 995


@pytest.mark.parametrize("amount", [49, 0, -1, 100_000_000, 2**62])
def test_an_amount_that_stripe_does_not_charge_is_refused(amount: int) -> None:
    with pytest.raises(InvalidInput) as invalid:
        FEES.quote(amount, "USD", first=True)
    assert [each.field for each in invalid.value.violations] == ["amount.minor_units"]


def test_an_amount_may_fit_and_its_total_with_the_fees_may_not() -> None:
    assert FEES.quote(90_908_185, "USD", first=True).total == 99_999_999
    with pytest.raises(InvalidInput) as invalid:
        FEES.quote(90_908_186, "USD", first=True)
    assert [each.field for each in invalid.value.violations] == ["amount.minor_units"]


def test_a_quote_names_a_bad_amount_and_a_bad_currency_at_once() -> None:
    with pytest.raises(InvalidInput) as invalid:
        FEES.quote(1, "usd", first=True)
    fields = [each.field for each in invalid.value.violations]
    assert fields == ["amount.minor_units", "amount.currency_code"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "milestone.name"),
        ({"name": "  "}, "milestone.name"),
        ({"name": "two\nlines"}, "milestone.name"),
        ({"name": "a line and a break\n"}, "milestone.name"),
        ({"name": "\x00"}, "milestone.name"),
        ({"name": "x" * 201}, "milestone.name"),
        ({"scope": "x" * 20_001}, "milestone.scope"),
        ({"scope": "\x00"}, "milestone.scope"),
        ({"amount": 49}, "milestone.amount.minor_units"),
        ({"currency": "EUR"}, "milestone.amount.currency_code"),
    ],
)
def test_terms_outside_their_limits_are_named(
    change: dict[str, object], field: str, terms: MilestoneTerms
) -> None:
    noted = Problems()
    terms.check(noted)
    assert not noted.violations
    values = {name: getattr(terms, name) for name in ("name", "scope", "amount", "currency")}
    MilestoneTerms(**{**values, **change}, due_date=date(2027, 1, 31)).check(noted)
    assert [each.field for each in noted.violations] == [field]


def test_a_quote_that_disagrees_with_its_terms_is_named_field_by_field(
    terms: MilestoneTerms, quote: Quote
) -> None:
    noted = Problems()
    quote.check(noted, terms)
    assert not noted.violations
    Quote(44000, -1, 200_000_000, "EUR").check(noted, terms)
    assert [each.field for each in noted.violations] == [
        "quote.marketplace_fee_minor_units",
        "quote.amount_minor_units",
        "quote.currency_code",
        "quote.total_minor_units",
    ]


@given(charged=st.integers(1, 200_000))
def test_a_charge_of_any_amount_is_split_without_remainder(charged: int) -> None:
    quote = Quote(45000, 4500, 995, "USD")
    held, fees = quote.split(charged)
    assert held + fees == charged
    assert 0 <= fees <= quote.fees
    assert held >= 0


def test_a_charge_of_the_quoted_total_is_split_as_quoted(quote: Quote) -> None:
    assert quote.split(quote.total) == (quote.amount, quote.fees)
    assert replace(quote, contract_fee=0).split(49500) == (45000, 4500)
