"""The limits of each field that an organisation writes in a job."""

from typing import Any

import pytest

from services.common.errors import InvalidInput
from services.jobs.domain import (
    Pay,
    PayKind,
    Posting,
    Settings,
    Visibility,
)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"title": "x" * 201}, "job.title"),
        ({"title": "two\nlines"}, "job.title"),
        ({"title": "a\x00b"}, "job.title"),
        ({"description": "x" * 20_001}, "job.description"),
        ({"description": "\x00"}, "job.description"),
        ({"category": "Image Annotation"}, "job.category"),
        ({"category": "x" * 65}, "job.category"),
        ({"required_languages": ("en", "english language")}, "job.required_languages[1]"),
        ({"required_languages": ("en", "EN")}, "job.required_languages"),
        ({"required_languages": tuple(f"en-{n:04}" for n in range(51))}, "job.required_languages"),
        ({"required_skills": ("Python",)}, "job.required_skills[0]"),
        ({"required_skills": ("",)}, "job.required_skills[0]"),
        ({"required_skills": ("x" * 65,)}, "job.required_skills[0]"),
        ({"required_skills": ("a\x00b",)}, "job.required_skills[0]"),
        ({"required_countries": ("de",)}, "job.required_countries[0]"),
        ({"required_countries": ("DEU",)}, "job.required_countries[0]"),
        ({"pay": Pay(minimum=-1)}, "job.pay.minimum_minor_units"),
        ({"pay": Pay(maximum=10_000_000_01)}, "job.pay.maximum_minor_units"),
        ({"pay": Pay(minimum=200, maximum=100)}, "job.pay.maximum_minor_units"),
        ({"pay": Pay(currency="JPY")}, "job.pay.currency_code"),
        ({"pay": Pay(currency="usd")}, "job.pay.currency_code"),
        ({"positions": -1}, "job.positions"),
        ({"positions": 10_001}, "job.positions"),
    ],
)
def test_a_value_outside_its_limits_is_named_by_its_path(
    written: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as invalid:
        Posting(**written).require_valid()
    assert [violation.field for violation in invalid.value.violations] == [field]


def test_all_bad_fields_are_named_at_once() -> None:
    posting = Posting(title="x" * 201, required_countries=("xx", "DE", "y"), positions=-5)
    with pytest.raises(InvalidInput) as invalid:
        posting.require_valid()
    assert [violation.field for violation in invalid.value.violations] == [
        "job.title",
        "job.required_countries[0]",
        "job.required_countries[2]",
        "job.positions",
    ]


def test_an_empty_posting_is_a_valid_draft() -> None:
    Posting().require_valid()
    assert len(Posting().missing()) == 7


def test_values_at_their_limits_are_valid(posting: Posting) -> None:
    Posting(
        title="x" * 200,
        description="x" * 20_000,
        category="x" * 64,
        required_languages=("zh-Hant-TW", "sr"),
        required_skills=tuple(f"skill {n}" for n in range(50)),
        pay=Pay(PayKind.PER_LABEL, 5, 5, "USD"),
        positions=10_000,
    ).require_valid()
    posting.require_valid()
    assert posting.missing() == []


def test_the_fields_that_differ_are_named_in_the_order_of_the_form(posting: Posting) -> None:
    assert posting.changes(posting) == []
    other = Posting(settings=Settings(Visibility.UNLISTED), pay=posting.pay, title=posting.title)
    assert posting.changes(other) == [
        "description",
        "category",
        "required_languages",
        "required_skills",
        "required_countries",
        "positions",
        "settings",
    ]
