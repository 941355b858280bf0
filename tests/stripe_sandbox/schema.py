"""Checks every answer and every event against Stripe's OpenAPI document.

The document's objects are closed before use: a field that Stripe does not have is a failure too.
"""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match  # type: ignore[import-untyped] # it has no stubs
from openapi_schema_validator import OAS30Validator

FILE = Path(__file__).parent.parent / "data/stripe/schema.2026-08-26.dahlia.json.gz"
# The SDK's path for one balance transaction; the document has only the older one.
ELSEWHERE = {"/v1/balance_transactions/{}": "/v1/balance/history/{}"}


@cache
def document() -> dict[str, Any]:
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        found: dict[str, Any] = _closed(json.load(file))
    return found


@cache
def _paths() -> dict[str, dict[str, Any]]:
    return {re.sub(r"\{\w+\}", "{}", path): found for path, found in document()["paths"].items()}


def problem_of_answer(method: str, path: str, status: int, body: object) -> str | None:
    """Say what is wrong with an answer; None when it is as the document says."""
    declared = _declared(path)
    if declared is None or method.lower() not in declared:
        # No operation of Stripe's: its answer must still be Stripe's error.
        return None if status == 404 and _fits("error", body) is None else f"unknown path {path}"
    responses = declared[method.lower()]["responses"]
    schema = responses.get(str(status), responses["default"])["content"]["application/json"]
    return _problem(schema["schema"], body)


def problem_of_event(event: dict[str, Any]) -> str | None:
    """Say what is wrong with an event or with the object in it."""
    snapshot = event["data"]["object"]
    return _fits("event", event) or _fits(snapshot["object"], snapshot)


def _fits(name: str, body: object) -> str | None:
    return _problem({"$ref": f"#/components/schemas/{name}"}, body)


def _declared(path: str) -> dict[str, Any] | None:
    for template, declared in sorted(_paths().items(), key=lambda entry: entry[0].count("{}")):
        if re.fullmatch(template.replace("{}", "[^/]+"), path):
            return declared
    template = re.sub(r"/[^/]+$", "/{}", path)
    return _paths().get(ELSEWHERE.get(template, ""))


@cache
def _validator(schema: str) -> OAS30Validator:
    whole = json.loads(schema) | {"components": document()["components"]}
    return OAS30Validator(whole)


def _problem(schema: dict[str, Any], body: object) -> str | None:
    error = best_match(_validator(json.dumps(schema, sort_keys=True)).iter_errors(body))
    return None if error is None else f"{error.json_path}: {error.message[:400]}"


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {key: _closed(value) for key, value in node.items()}
    # `type` may also be the name of a property; then it is no string.
    if found.get("type") == "object" and isinstance(found.get("properties"), dict):
        found.setdefault("additionalProperties", False)
    if found.get("nullable") is True:
        # Read strictly, OpenAPI 3.0's `nullable` opens neither `anyOf` nor `enum`; Stripe means it.
        if isinstance(found.get("anyOf"), list):
            found["anyOf"] = [*found["anyOf"], {"enum": [None], "nullable": True}]
        if isinstance(found.get("enum"), list):
            found["enum"] = [*found["enum"], None]
    return found
