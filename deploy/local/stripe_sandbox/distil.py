"""Makes `parameters.json` from Stripe's OpenAPI document.

    python -m deploy.local.stripe_sandbox.distil tests/data/stripe/schema.2026-08-26.dahlia.json.gz

The document is of API 2026-08-26 while the SDK in use speaks 2026-10-28; `GONE` is the difference
that matters, read from the SDK's own types.
"""

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

from deploy.local.stripe_sandbox.operations import OPERATIONS
from deploy.local.stripe_sandbox.values import Value

DEPTH = 3
LONGEST_ENUM = 45
OPAQUE = frozenset({"payment_method_options", "amount_details", "payment_details", "company"})
KINDS = frozenset(
    [
        "account",
        "balance_transaction",
        "charge",
        "customer",
        "dispute",
        "event",
        "payment_intent",
        "payment_method",
        "payout",
        "refund",
        "setup_intent",
        "transfer",
        "transfer_reversal",
        "webhook_endpoint",
    ]
)
# The SDK asks for one balance transaction where the document knows only the older path.
ELSEWHERE = {"/v1/balance_transactions/{}": "/v1/balance/history/{}"}
GONE = {
    (operation.name, "payment_method_types")
    for operation in OPERATIONS
    if operation.name.startswith(("payment_intents.", "setup_intents."))
}


def _declare(schema: dict[str, Any], depth: int, name: str) -> Value:
    if "anyOf" in schema:
        return {"either": [_declare(choice, depth, name) for choice in schema["anyOf"]]}
    if "enum" in schema:
        short = len(schema["enum"]) <= LONGEST_ENUM or name == "enabled_events"
        return {"enum": schema["enum"]} if short else "string"
    kind = schema.get("type")
    if kind == "array":
        return {"list": _declare(schema["items"], depth, name)}
    if kind == "object":
        return _declare_object(schema, depth, name)
    return kind if kind in ("string", "integer", "number", "boolean") else "anything"


def _declare_object(schema: dict[str, Any], depth: int, name: str) -> Value:
    rest = schema.get("additionalProperties")
    if name == "metadata":
        return {"map": "metadata value"}
    if not schema.get("properties") and depth < DEPTH:
        return {"map": _declare(rest, depth + 1, name) if isinstance(rest, dict) else "anything"}
    if depth >= DEPTH or name in OPAQUE:
        return "anything"
    found: dict[str, Any] = {
        "object": {
            key: _declare(part, depth + 1, key)
            for key, part in schema.get("properties", {}).items()
        }
    }
    if schema.get("required"):
        found["required"] = schema["required"]
    return found


def _parameters(declared: dict[str, Any]) -> dict[str, Any]:
    """Declare an operation's query and body as one object."""
    body = declared["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    together: dict[str, Any] = {
        "properties": dict(body.get("properties", {})),
        "required": list(body.get("required", [])),
    }
    for parameter in declared.get("parameters", ()):
        if parameter["in"] == "query":
            together["properties"][parameter["name"]] = parameter["schema"]
            if parameter.get("required"):
                together["required"].append(parameter["name"])
    found: dict[str, Any] = _declare_object(together, 0, "")
    return found if "object" in found else {"object": {}}


def _expandable(schemas: dict[str, Any]) -> dict[str, list[str]]:
    found = {}
    for name, schema in schemas.items():
        fields = schema.get("properties", {})
        wanted = [key for key, part in fields.items() if "x-expansionResources" in part]
        if wanted and name in KINDS:
            found[name] = wanted
    return found


def distil(document: dict[str, Any]) -> dict[str, Any]:
    """Give the declarations of the sandbox's operations and each object's expandable fields."""
    paths = {re.sub(r"\{\w+\}", "{}", path): methods for path, methods in document["paths"].items()}
    operations = {}
    for operation in OPERATIONS:
        path = re.sub(r"\{\w+\}", "{}", operation.path)
        declared = paths[ELSEWHERE.get(path, path)][operation.method.lower()]
        parameters = _parameters(declared)
        for owner, gone in GONE:
            if owner == operation.name:
                parameters["object"].pop(gone, None)
        operations[operation.name] = parameters
    return {"operations": operations, "expandable": _expandable(document["components"]["schemas"])}


def main() -> None:
    """Read the document named on the command line; write the file beside this module."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as file:
        found = distil(json.load(file))
    lines = [
        f"  {json.dumps(name)}: {json.dumps(part, separators=(',', ':'), sort_keys=True)}"
        for name, part in sorted(found["operations"].items())
    ]
    expandable = json.dumps(found["expandable"], separators=(",", ":"), sort_keys=True)
    text = '{"operations": {\n' + ",\n".join(lines) + '\n},\n"expandable": ' + expandable + "}\n"
    Path(__file__).with_name("parameters.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
