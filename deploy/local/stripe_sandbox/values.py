"""The shapes of data that come from a wire and are checked by a table, not by a type."""

from typing import Any

Json = dict[str, Any]
"""A JSON object."""

Value = Any
"""A value of whatever shape the wire gave: text, number, list, object."""
