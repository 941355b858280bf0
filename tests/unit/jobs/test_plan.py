from dataclasses import replace

import pytest

from services.jobs.domain import FieldType, ScreeningField, ScreeningPlan

SELECT = ScreeningField(
    "level", "Level", type=FieldType.SINGLE_SELECT, options=("junior", "senior")
)
TEXT = ScreeningField("why", "Why you?", type=FieldType.LONG_TEXT, required=True)


def paths(*fields: ScreeningField, prompt: str = "Find out.") -> list[str]:
    told = ScreeningPlan(prompt, fields).violations()
    return [each.field.removeprefix("job.screening_plan.") for each in told]


def test_a_plan_with_a_prompt_and_sound_fields_is_valid() -> None:
    assert paths(SELECT, TEXT) == []
    assert paths(prompt="") == []


def test_every_problem_of_every_field_is_told_at_once() -> None:
    bad = ScreeningField("Not a key", "", options=("x",))
    assert paths(bad, prompt="") == [
        "prompt",
        "fields[0].key",
        "fields[0].label",
        "fields[0].type",
        "fields[0].options",
    ]


def test_two_fields_never_share_a_key() -> None:
    assert paths(TEXT, SELECT, TEXT) == ["fields[2].key"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ((), "fields[0].options"),
        (("one",), "fields[0].options"),
        (("same", "same"), "fields[0].options"),
        (("one", "two\nlines"), "fields[0].options[1]"),
        (tuple(map(str, range(51))), "fields[0].options"),
    ],
)
def test_a_select_has_between_2_and_50_different_one_line_options(
    options: tuple[str, ...], path: str
) -> None:
    field = ScreeningField("level", "Level", type=FieldType.SINGLE_SELECT, options=options)
    assert paths(field) == [path]


def test_a_plan_has_at_most_50_fields() -> None:
    fields = [ScreeningField(f"k{number}", "Label", type=FieldType.NUMBER) for number in range(51)]
    assert paths(*fields) == ["fields"]


def test_a_plan_whose_every_field_is_good_may_be_too_long_as_a_whole() -> None:
    # Each of the characters is two bytes.
    fields = [replace(TEXT, key=f"k{at}", description="ä" * 2000) for at in range(17)]
    assert paths(*fields[:16]) == []
    told = ScreeningPlan("Find out.", tuple(fields)).violations()
    assert [each.field for each in told] == ["job.screening_plan"]


def test_a_plan_that_says_nothing_is_none() -> None:
    assert not ScreeningPlan()
    assert ScreeningPlan("Ask.")
