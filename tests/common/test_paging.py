import base64
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from services.common.errors import InvalidInput, Problems
from services.common.paging import Cursor, Key, Page, beyond

MB = 1024 * 1024
NOW = datetime(2026, 11, 1, 12, 30, 0, 123456, tzinfo=UTC)
ROWS = [(NOW, "c", 3), (NOW, "b", 2), (NOW, "a", 1)]


def first(*scope: object) -> Page[tuple[datetime, str, int]]:
    return Cursor.read(2, "", *scope).page(ROWS, key=lambda row: row)


def test_a_token_gives_back_the_keys_of_the_last_row_with_their_types() -> None:
    page = first("org")
    assert page.items == tuple(ROWS[:2])
    assert Cursor.read(2, page.next_token, "org").after == ROWS[1]


@pytest.mark.parametrize("character", ["\N{GRINNING FACE}", "\N{EURO SIGN}", "\x01", '"', "x"])
def test_a_token_takes_the_longest_key_whatever_its_characters(character: str) -> None:
    key = (character * 200, character * 64, character * 64)
    assert Cursor.read(2, Cursor.read(2, "").token(key)).after == key


@pytest.mark.parametrize(
    ("weights", "shown"), [((1, 1, 1, 1), 3), ((MB, MB, 1, 1), 2), ((3 * MB, 1), 1), ((3 * MB,), 1)]
)
def test_a_page_ends_before_it_is_too_heavy_and_has_one_item_at_least(
    weights: tuple[int, ...], shown: int
) -> None:
    items = tuple(enumerate(weights))
    page = Cursor.read(3, "").page(items, key=lambda item: (item[0],), weigh=lambda item: item[1])
    assert page.items == items[:shown]
    if shown == len(items):
        assert page.next_token == ""
    else:
        assert Cursor.read(3, page.next_token).after == (shown - 1,)


def test_what_is_wrong_with_the_paging_is_told_beside_the_other_fields() -> None:
    noted = Problems()
    noted.add("job_id", "is missing")
    Cursor.read(-1, "x", noted=noted)
    fields = [each.field for each in noted.violations]
    assert fields == ["job_id", "page_size", "page_token"]


def test_a_whole_list_is_cut_into_pages_by_the_same_tokens() -> None:
    page = Cursor.read(2, "", "org").cut(ROWS, key=lambda row: row)
    assert page.items == tuple(ROWS[:2])
    rest = Cursor.read(2, page.next_token, "org").cut([(NOW, "d", 4), *ROWS], key=lambda row: row)
    assert rest == Page(tuple(ROWS[2:]))


@pytest.mark.parametrize("keys", [("a",), (NOW, "b", "2"), (NOW, "b", 2.0), ("now", "b", 2)])
def test_a_whole_list_refuses_a_token_with_other_keys(keys: tuple[Key, ...]) -> None:
    forged = Cursor.read(2, "", "org").token(keys)
    with pytest.raises(InvalidInput) as caught:
        Cursor.read(2, forged, "org").cut(ROWS, key=lambda row: row)
    assert [each.field for each in caught.value.violations] == ["page_token"]


def test_a_moment_without_a_zone_is_no_key() -> None:
    forged = Cursor.read(2, "", "org").token((NOW.replace(tzinfo=None), "b", 2))
    with pytest.raises(InvalidInput):
        Cursor.read(2, forged, "org")


def test_the_last_page_has_no_token() -> None:
    assert Cursor.read(3, "", "org").page(ROWS, key=lambda row: row).next_token == ""


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (200, 200), (10_000, 200)])
def test_a_page_has_a_default_and_a_largest_size(asked: int, given: int) -> None:
    cursor = Cursor.read(asked, "")
    assert (cursor.size, cursor.limit) == (given, given + 1)


@pytest.mark.parametrize("token", ["x", "%%%", "e30", "W10", "WzEsMiwzXQ", "A" * 3000, "é"])
def test_a_made_up_token_is_refused_by_name(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Cursor.read(2, token)
    assert [each.field for each in caught.value.violations] == ["page_token"]


@pytest.mark.parametrize(
    "forged",
    [
        '["v","\\u0000"]',
        '["v","\\ud800"]',
        '["t","2026-01-01T00:00:00"]',
        '["t","0001-01-01T00:00:00+23:00"]',
        "[" * 1200,
    ],
)
def test_a_forged_token_with_what_no_database_takes_is_refused_by_name(forged: str) -> None:
    scope = Cursor.read(2, "").scope
    text = f'[1,"{scope}",[{forged}]]'
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    with pytest.raises(InvalidInput) as caught:
        Cursor.read(2, token)
    assert [each.field for each in caught.value.violations] == ["page_token"]


def test_a_forged_number_must_fit_into_its_column() -> None:
    small, large = sa.column("small", sa.Integer), sa.column("large", sa.BigInteger)
    cursor = Cursor(2, (2**31,), "scope")
    beyond(cursor, large)
    with pytest.raises(InvalidInput):
        beyond(cursor, small)


def test_a_token_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Cursor.read(2, first("org").next_token, "another org")
