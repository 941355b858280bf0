"""Form bodies and query strings as Stripe reads them: `a[b][c]=1`, `list[]=x`, `list[0][y]=z`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from deploy.local.stripe_sandbox.errors import invalid

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> dict[str, Any]:
    """Turn form text into nested dicts of strings; list entries are keyed by their index.

    Which of those dicts are lists is for the parameter's declaration to say. Raises `StripeError`
    (400) on a key that cannot be read or that is used as a value and as an object at once.
    """
    found: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.match(key)
        if match is None:
            raise invalid(f"Invalid parameter name: {key}", param=key)
        _place(found, [match[1], *_PART.findall(match[2])], value, key)
    return found


def _place(found: dict[str, Any], parts: list[str], value: str, key: str) -> None:
    node = found
    for position, part in enumerate(parts):
        name = part or str(len(node))
        if position == len(parts) - 1:
            if isinstance(node.get(name), dict):
                raise invalid(f"Invalid object: {key}", param=key)
            node[name] = value
            return
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            raise invalid(f"Invalid object: {key}", param=key)
