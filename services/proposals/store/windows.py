"""Pages with conditions: what meets them of the next so many rows in a list's order.

No index could carry every set of conditions in every order. So a page looks at a bounded number of
rows, however rare those are that it wants: it may be short, even empty, and still not the last.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from services.common.paging import Cursor, Key, Page

T = TypeVar("T")
# How many rows a page with conditions looks at: some milliseconds.
LOOK = 1000


def window(
    ordered: sa.Select[Any], by: Sequence[str], *, descending: bool, reach: int = LOOK
) -> sa.CTE:
    """Give the next `reach` rows of a list, each with its `place` among them, from 1.

    `by` names the columns of `ordered` that it is ordered by.
    """
    rows = ordered.limit(reach).subquery("rows")
    keys = [rows.c[name].desc() if descending else rows.c[name].asc() for name in by]
    return sa.select(rows, sa.func.row_number().over(order_by=keys).label("place")).cte("found")


def last_of(found: sa.CTE, *names: str, reach: int = LOOK) -> sa.Subquery:
    """Give the last row of a window that is full, its columns named `last_…`; else no row.

    For the statement that reads the page: between two of them rows come and go, and the next page
    would skip some or repeat them.
    """
    columns = (found.c[name].label(f"last_{name}") for name in names)
    return sa.select(*columns).where(found.c.place == reach).subquery("last")


def cut(
    cursor: Cursor,
    items: Sequence[T],
    key: Callable[[T], tuple[Key, ...]],
    last: tuple[Key, ...],
    weigh: Callable[[T], int],
) -> Page[T]:
    """Cut the page; where all that the window has is shown, the next begins behind `last`.

    `last` is empty where the window was not full.
    """
    page = cursor.page(items, key, weigh)
    if page.next_token or not last:
        return page
    return Page(page.items, cursor.token(last))
