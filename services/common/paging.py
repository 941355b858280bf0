"""Keyset paging: a page costs the same at a hundred rows and at a million."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

import sqlalchemy as sa

from services.common.errors import InvalidInput, Problems

T = TypeVar("T")
Key = str | int | float | datetime
DEFAULT_SIZE, LARGEST_SIZE = 50, 200
_VERSION = 1
# Fits keys of 200 characters and two ids, however many bytes each character has.
_LONGEST_TOKEN = 4000
# Half of what a client takes: an item may weigh more on the wire than its store knows.
_HEAVIEST_PAGE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list's items, and the token of the next page; empty on the last."""

    items: tuple[T, ...]
    next_token: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where in which list a page begins.

    A token is opaque, not secret: it holds the last row's keys and a hash of the list's scope. A
    forged one only begins elsewhere in a list whose rows the caller may read anyway.

    Attributes:
        size: how many items the page has at most.
        after: the keys of the last row of the page before; empty on the first page.
        scope: a hash of everything that shapes the list.

    """

    size: int
    after: tuple[Key, ...]
    scope: str

    @classmethod
    def read(
        cls, page_size: int, page_token: str, *scope: object, noted: Problems | None = None
    ) -> Self:
        """Read a list request's paging fields; 0 means 50, and more than 200 means 200.

        Args:
            page_size: as the caller sent it.
            page_token: as the caller sent it.
            scope: whatever shapes the list: caller, filters, order; a token is good for no other.
            noted: takes what is wrong, beside the request's other fields, instead of its being
                raised here; the cursor is then good for nothing.

        Raises:
            InvalidInput: a negative size; a token that is malformed or of another list.

        """
        found = Problems() if noted is None else noted
        found.require(page_size >= 0, "page_size", "must not be negative")
        told = hashlib.sha256(repr(scope).encode()).hexdigest()[:16]
        after: tuple[Key, ...] = ()
        if page_token:
            try:
                after = _read_token(page_token, told)
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                found.add("page_token", "is not one of this list: begin again without it")
        if noted is None:
            found.refuse()
        return cls(min(page_size or DEFAULT_SIZE, LARGEST_SIZE), after, told)

    @property
    def limit(self) -> int:
        """How many rows to ask for: one more than the page has, to know of a next page."""
        return self.size + 1

    def page(
        self,
        items: Sequence[T],
        key: Callable[[T], tuple[Key, ...]],
        weigh: Callable[[T], int] | None = None,
    ) -> Page[T]:
        """Cut `limit` items down to the page.

        Args:
            items: what was found, in the list's order.
            key: gives an item's values of the order.
            weigh: gives an item's bytes; the page then ends before they pass 2 MiB, as a client
                takes no more than 4, but has one item at least.

        """
        number = self.size if weigh is None else _bearable(items[: self.size], weigh)
        if len(items) <= number:
            return Page(tuple(items))
        shown = tuple(items[:number])
        return Page(shown, self.token(key(shown[-1])))

    def following(self, token: str) -> Self:
        """Go on with the next page of the same list, whose token this cursor's page gave."""
        return replace(self, after=_read_token(token, self.scope))

    def cut(self, items: Sequence[T], key: Callable[[T], tuple[Key, ...]]) -> Page[T]:
        """Cut the page out of a whole list, which is in descending order of `key`.

        Raises:
            InvalidInput: the token's keys are none of this list.

        """
        if self.after and items:
            _require_kinds(self.after, key(items[0]))
        behind = [item for item in items if not self.after or key(item) < self.after]
        return self.page(behind[: self.limit], key)

    def token(self, keys: Sequence[Key]) -> str:
        """Write the token of the page that begins after these values of the order."""
        token = [_VERSION, self.scope, [_written(value) for value in keys]]
        text = json.dumps(token, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _bearable(items: Sequence[T], weigh: Callable[[T], int]) -> int:
    """Count the items that fit into a page together, at least one."""
    total = 0
    for number, item in enumerate(items):
        total += weigh(item)
        if total > _HEAVIEST_PAGE:
            return max(number, 1)
    return len(items)


def beyond(
    cursor: Cursor, *columns: sa.ColumnElement[Any], descending: bool = False
) -> sa.ColumnElement[bool]:
    """Give the condition for rows after the cursor, in the order of all `columns`.

    One direction for all, and no NULLs, so that one index range answers it; order a list with
    missing values by `coalesce(score, -1)`.
    """
    if not cursor.after:
        return sa.true()
    _require_fit(cursor, columns)
    row = sa.tuple_(*columns)
    values = sa.tuple_(
        *(
            sa.literal(value, column.type)
            for value, column in zip(cursor.after, columns, strict=True)
        )
    )
    return row < values if descending else row > values


def beyond_parameters(
    *columns: sa.ColumnElement[Any], descending: bool = False
) -> sa.ColumnElement[bool]:
    """Give the same condition over parameters, for a statement that is built once."""
    row = sa.tuple_(*columns)
    values = sa.tuple_(
        *(sa.bindparam(f"after_{at}", type_=column.type) for at, column in enumerate(columns))
    )
    return row < values if descending else row > values


def after_parameters(cursor: Cursor, *columns: sa.ColumnElement[Any]) -> dict[str, Key]:
    """Give the values of those parameters; none on the first page."""
    if cursor.after:
        _require_fit(cursor, columns)
    return {f"after_{at}": value for at, value in enumerate(cursor.after)}


def _require_fit(cursor: Cursor, columns: Sequence[sa.ColumnElement[Any]]) -> None:
    fits = len(cursor.after) == len(columns) and all(
        _fits(value, column) for value, column in zip(cursor.after, columns, strict=True)
    )
    if not fits:
        raise _of_another_list()


def _require_kinds(values: Sequence[Key], keys: Sequence[Key]) -> None:
    if [type(value) for value in values] != [type(key) for key in keys]:
        raise _of_another_list()


def _of_another_list() -> InvalidInput:
    noted = Problems()
    noted.add("page_token", "is not one of this list: begin again without it")
    return InvalidInput(noted.violations)


def _fits(value: Key, column: sa.ColumnElement[Any]) -> bool:
    # A forged token may hold anything that JSON can say; the database must not be the judge.
    if isinstance(column.type, sa.Integer):
        bits = 63 if isinstance(column.type, sa.BigInteger) else 31
        return type(value) is int and abs(value) < 2**bits
    return isinstance(value, column.type.python_type)


def _written(value: Key) -> list[str | int | float]:
    return ["t", value.isoformat()] if isinstance(value, datetime) else ["v", value]


def _read_token(token: str, scope: str) -> tuple[Key, ...]:
    if len(token) > _LONGEST_TOKEN:
        raise ValueError(token)
    padded = token + "=" * (-len(token) % 4)
    version, of_scope, values = json.loads(base64.b64decode(padded, b"-_", validate=True))
    if (version, of_scope) != (_VERSION, scope) or not values:
        raise ValueError(token)
    return tuple(_read_value(kind, value) for kind, value in values)


def _read_value(kind: str, value: Any) -> Key:  # noqa: ANN401 - checked here
    if kind == "t":
        moment = datetime.fromisoformat(value)
        # One without a zone compares with none that has it, here and in the database's driver.
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment.astimezone(UTC)
    if kind != "v" or not isinstance(value, str | int | float):
        raise ValueError(kind)
    if isinstance(value, str) and "\0" in value.encode().decode():
        raise ValueError(kind)
    return value
