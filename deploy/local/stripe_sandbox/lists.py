"""Stripe's lists: newest first, cursors by id, filters by field."""

import json
from collections.abc import Sequence
from typing import Any

from deploy.local.stripe_sandbox.call import Call
from deploy.local.stripe_sandbox.errors import invalid, no_such
from deploy.local.stripe_sandbox.values import Json, Value

_PAGING = {"limit", "starting_after", "ending_before", "expand"}
_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(call: Call, kind: str, *, url: str | None = None, **fixed: Value) -> Json:
    """Answer a list request: `fixed` fields and the request's own filters must be equal.

    Raises `StripeError` (400) for a limit outside 1..100, for both cursors at once and for a
    cursor that names nothing.
    """
    limit = _limit(call)
    clauses = ["kind = ?", "account = ?"]
    values: list[Any] = [kind, call.account]
    filters = {k: v for k, v in call.params.items() if k not in _PAGING} | fixed
    for name, value in filters.items():
        _filter(name, value, clauses, values)
    backwards = _cursor(call, clauses, values)
    order = "ASC" if backwards else "DESC"
    # Only parameters that Stripe declares for this operation become part of the text.
    rows = call.store.run(
        f"SELECT body FROM object WHERE {' AND '.join(clauses)} ORDER BY number {order} LIMIT ?",  # noqa: S608 - see above
        *values,
        limit + 1,
    )
    found = [json.loads(row["body"]) for row in rows[:limit]]
    if backwards:
        found.reverse()
    return listed(found, url or call.path, has_more=len(rows) > limit)


def listed(data: Sequence[Json], url: str, *, has_more: bool = False) -> Json:
    """Wrap objects as Stripe's list object."""
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _limit(call: Call) -> int:
    limit = int(call.param("limit", 10))
    if limit > 100:
        raise invalid("Limit must be less than or equal to 100", param="limit")
    if limit < 1:
        raise invalid("Limit must be greater than or equal to 1", param="limit")
    return limit


def _filter(name: str, value: Value, clauses: list[str], values: list[Any]) -> None:
    field = f"json_extract(body, '$.{name}')"
    if isinstance(value, dict):
        for bound, limit in value.items():
            clauses.append(f"{field} {_BOUNDS[bound]} ?")
            values.append(limit)
    elif isinstance(value, list):
        clauses.append(f"json_extract(body, '$.type') IN ({','.join('?' * len(value))})")
        values.extend(value)
    else:
        clauses.append(f"{field} = ?")
        values.append(value)


def _cursor(call: Call, clauses: list[str], values: list[Any]) -> bool:
    """Add the cursor's clause; True when the page ends before it."""
    after, before = call.param("starting_after"), call.param("ending_before")
    if after and before:
        message = "You may only specify one of these parameters: starting_after, ending_before."
        raise invalid(message, code="parameters_exclusive")
    if not after and not before:
        return False
    rows = call.store.run("SELECT number FROM object WHERE id = ?", after or before)
    if not rows:
        param = "starting_after" if after else "ending_before"
        raise no_such("object", after or before, param, 400)
    clauses.append("number < ?" if after else "number > ?")
    values.append(rows[0]["number"])
    return bool(before)
