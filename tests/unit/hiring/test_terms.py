from dataclasses import replace
from datetime import date

import pytest

from services.common.errors import Problems
from workflows.hiring.domain import Milestone, Totals, Wish


def test_the_worked_example_costs_what_the_mission_says() -> None:
    assert Totals(45_000, 4_500, 995, "USD").total == 50_495


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Second batch"},
        {"scope": "Rate dogs"},
        {"amount": 45_001},
        {"currency": "EUR"},
        {"due_date": date(2026, 12, 1)},
    ],
)
def test_every_term_of_the_milestone_makes_another_wish(
    wish: Wish, change: dict[str, object]
) -> None:
    milestone = replace(wish.milestone, **change)  # type: ignore[arg-type] # fields by name
    assert replace(wish, milestone=milestone).fingerprint != wish.fingerprint


def test_the_proposal_and_the_confirmation_of_a_decline_are_terms(wish: Wish) -> None:
    assert replace(wish, proposal_id="p-2").fingerprint != wish.fingerprint
    assert replace(wish, confirm_declined=True).fingerprint != wish.fingerprint


def test_text_that_moves_from_one_field_to_the_next_is_another_wish() -> None:
    one = Wish("p", Milestone("a", "bc", 100, "USD"), False)
    assert one.fingerprint != Wish("p", Milestone("ab", "c", 100, "USD"), False).fingerprint


def test_every_field_outside_its_limits_is_named_at_once() -> None:
    noted = Problems()
    Milestone("two\nlines", "x" * 20_001, 49, "EUR").check(noted)
    assert [violation.field for violation in noted.violations] == [
        "milestone.scope",
        "milestone.name",
        "milestone.amount.minor_units",
        "milestone.amount.currency_code",
    ]


@pytest.mark.parametrize("name", ["", " ", "a" * 201, "a\x00b"])
def test_a_name_is_one_line_of_text(name: str) -> None:
    noted = Problems()
    Milestone(name, "", 50, "USD").check(noted)
    assert {violation.field for violation in noted.violations} == {"milestone.name"}
