"""Checks a request's parameters against Stripe's own declaration of the operation.

The declarations are in `parameters.json`, distilled from Stripe's OpenAPI document by `distil.py`.
A declaration is one of `"string"`, `"integer"`, `"number"`, `"boolean"`, `"anything"`,
`{"enum": [...]}`, `{"list": d}`, `{"map": d}`, `{"object": {...}, "required": [...]}`,
`{"either": [d, ...]}`.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local.stripe_sandbox.errors import StripeError, invalid, missing
from deploy.local.stripe_sandbox.values import Value

_TABLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("parameters.json").read_text(encoding="utf-8")
)
OPERATIONS: dict[str, Any] = _TABLE["operations"]
EXPANDABLE: dict[str, list[str]] = _TABLE["expandable"]

_INTEGER = re.compile(r"^-?\d{1,18}$")


def check(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """Give the parameters with their declared types.

    Raises `StripeError` (400): `parameter_unknown`, `parameter_missing`,
    `parameter_invalid_integer`, `parameter_invalid_empty`, or without a code where Stripe's has
    none (a value outside an enum, a bad boolean). Nothing of the request has been executed then.
    """
    found: dict[str, Any] = _object(OPERATIONS[operation], given, "")
    if "metadata" in found:
        _metadata(found["metadata"])
    return found


def _read(declaration: Value, value: Value, name: str) -> Value:
    if isinstance(declaration, str):
        return _SCALARS[declaration](value, name)
    for shape, read in _SHAPES.items():
        if shape in declaration:
            return read(declaration, value, name)
    raise KeyError(name)


def _object(declaration: Value, value: Value, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid object for {name}", param=name)
    declared = declaration["object"]
    found: dict[str, Any] = {}
    for key, part in value.items():
        full = f"{name}[{key}]" if name else key
        if key not in declared:
            message = f"Received unknown parameter: {full}"
            raise invalid(message, code="parameter_unknown", param=full)
        found[key] = _read(declared[key], part, full)
    for key in declaration.get("required", ()):
        if key not in found:
            raise missing(f"{name}[{key}]" if name else key)
    return found


def _list(declaration: Value, value: Value, name: str) -> list[Any]:
    if not isinstance(value, dict) or not all(key.isdigit() for key in value):
        raise invalid("Invalid array", param=name)
    entries = sorted(value.items(), key=lambda entry: int(entry[0]))
    return [_read(declaration["list"], part, f"{name}[{key}]") for key, part in entries]


def _map(declaration: Value, value: Value, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=name)
    return {key: _read(declaration["map"], part, f"{name}[{key}]") for key, part in value.items()}


def _enum(declaration: Value, value: Value, name: str) -> str:
    choices = declaration["enum"]
    if value not in choices:
        raise invalid(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
    return str(value)


def _either(declaration: Value, value: Value, name: str) -> Value:
    trouble: StripeError | None = None
    for choice in declaration["either"]:
        # An empty string would satisfy "string" first; it must reach the choice that unsets.
        if value == "" and choice in ("string", "anything"):
            continue
        try:
            return _read(choice, value, name)
        except StripeError as error:
            # What is wrong inside an object says more than "this is no empty string".
            trouble = error if trouble is None or error.error.get("code") else trouble
    raise trouble or _empty(name)


def _empty(name: str) -> StripeError:
    message = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value."
    )
    return invalid(message, code="parameter_invalid_empty", param=name)


def _string(value: Value, name: str) -> str:
    if not isinstance(value, str):
        raise invalid("Invalid string", param=name)
    if value == "":
        raise _empty(name)
    return value


def _text_of_metadata(value: Value, name: str) -> str:
    return value if value == "" else _string(value, name)


def _integer(value: Value, name: str) -> int:
    if not isinstance(value, str) or not _INTEGER.match(value):
        raise invalid(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def _number(value: Value, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise invalid(f"Invalid decimal: {value}", param=name) from None


def _boolean(value: Value, name: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def _anything(value: Value, name: str) -> Value:  # noqa: ARG001 - the shape of a declaration's reader
    return value


_SCALARS: dict[str, Callable[[Any, str], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "anything": _anything,
    "metadata value": _text_of_metadata,
}
_SHAPES: dict[str, Callable[[Any, Any, str], Any]] = {
    "enum": _enum,
    "list": _list,
    "map": _map,
    "object": _object,
    "either": _either,
}


def _metadata(metadata: Value) -> None:
    """Stripe's limits: 50 keys of 40 characters, values of 500."""
    if not isinstance(metadata, dict):
        return
    if len(metadata) > 50:
        raise invalid("Metadata can have up to 50 keys.", param="metadata")
    for key, value in metadata.items():
        if len(key) > 40 or len(value) > 500:
            message = "Metadata keys can have up to 40 characters, values up to 500 characters."
            raise invalid(message, param=f"metadata[{key}]")
