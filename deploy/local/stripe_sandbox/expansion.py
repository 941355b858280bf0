"""`expand[]`: ids replaced by the objects they name."""

import copy

from deploy.local.stripe_sandbox.call import Call
from deploy.local.stripe_sandbox.errors import invalid
from deploy.local.stripe_sandbox.lists import listed
from deploy.local.stripe_sandbox.parameters import EXPANDABLE
from deploy.local.stripe_sandbox.values import Json, Value

DEEPEST = 4


def expand(call: Call, body: Json) -> Json:
    """Give an answer, or a copy of it with what the request wants expanded.

    Raises `StripeError` (400) for a field that Stripe's document does not call expandable.
    """
    wanted = call.param("expand")
    if not wanted:
        return body
    found = copy.deepcopy(body)
    for path in wanted:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise invalid(
                f"You cannot expand more than {DEEPEST} levels of a property.", param="expand"
            )
        _expand(call, found, parts, path)
    return found


def _expand(call: Call, node: Value, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for entry in node:
            _expand(call, entry, parts, path)
        return
    if not parts or not isinstance(node, dict) or "error" in node:
        return
    name, rest = parts[0], parts[1:]
    if node.get("object") == "charge" and name == "refunds":
        refunds = call.store.select("refund", charge=node["id"])[:10]
        node["refunds"] = listed(refunds, f"/v1/charges/{node['id']}/refunds")
    elif not _may(node, name):
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    elif isinstance(node.get(name), str):
        node[name] = call.store.get(node[name]) or node[name]
    _expand(call, node.get(name), rest, path)


def _may(node: Json, name: str) -> bool:
    kind = node.get("object")
    if kind in EXPANDABLE:
        # A nested hash, as invoice_settings, is a step on the way and not itself expanded.
        return name in EXPANDABLE[kind] or isinstance(node.get(name), dict)
    return name in node
