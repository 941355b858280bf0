"""The screening plan of a job: what the interviewer finds out, and the typed questions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from services.common.errors import Violation

FIELDS_LIMIT = 50
OPTIONS_LIMIT = 50
PROMPT_LIMIT = 20_000
# An event of the job carries the questions, and the stream takes no event of more than a megabyte.
PLAN_LIMIT = 64 * 1024

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")


class FieldType(StrEnum):
    """The type of a screening answer."""

    SHORT_TEXT = "SHORT_TEXT"
    LONG_TEXT = "LONG_TEXT"
    URL = "URL"
    NUMBER = "NUMBER"
    SINGLE_SELECT = "SINGLE_SELECT"


@dataclass(frozen=True, slots=True)
class ScreeningField:
    """One typed question; no type is what an unknown one is read as."""

    key: str
    label: str
    description: str = ""
    required: bool = False
    type: FieldType | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScreeningPlan:
    """What a trainer goes through before a proposal; an empty one is none.

    `withheld` tells that there is a prompt which the reader is not shown.
    """

    prompt: str = ""
    fields: tuple[ScreeningField, ...] = ()
    withheld: bool = False

    def __bool__(self) -> bool:
        return bool(self.prompt or self.fields or self.withheld)

    def without_prompt(self) -> Self:
        """Leave out the prompt: whoever knows it can talk to it."""
        return replace(self, prompt="", withheld=bool(self.prompt))

    def violations(self) -> Iterator[Violation]:
        """Name everything in it that is outside its limits."""
        path = "job.screening_plan"
        if self.size > PLAN_LIMIT:
            yield Violation(path, f"has more than {PLAN_LIMIT} bytes of text")
        if len(self.prompt) > PROMPT_LIMIT:
            yield Violation(f"{path}.prompt", f"is longer than {PROMPT_LIMIT} characters")
        if "\x00" in self.prompt:
            yield Violation(f"{path}.prompt", "contains a NUL character")
        if self.fields and not self.prompt.strip():
            yield Violation(f"{path}.prompt", "is needed where there are fields")
        if len(self.fields) > FIELDS_LIMIT:
            yield Violation(f"{path}.fields", f"has more than {FIELDS_LIMIT} entries")
        seen: set[str] = set()
        for index, field in enumerate(self.fields[:FIELDS_LIMIT]):
            yield from _field_violations(f"{path}.fields[{index}]", field)
            if field.key in seen:
                yield Violation(f"{path}.fields[{index}].key", "is the key of an earlier field")
            seen.add(field.key)

    @property
    def size(self) -> int:
        """How many bytes its texts have."""
        texts = (
            text
            for field in self.fields
            for text in (field.key, field.label, field.description, *field.options)
        )
        return sum(len(text.encode()) for text in (self.prompt, *texts))


NO_PLAN = ScreeningPlan()


def _field_violations(path: str, field: ScreeningField) -> Iterator[Violation]:
    if not _KEY.fullmatch(field.key):
        yield Violation(
            f"{path}.key", "is 1 to 64 lower-case letters, digits and underscores, a letter first"
        )
    if not _is_line(field.label, 200):
        yield Violation(f"{path}.label", "is one line of 1 to 200 characters")
    if len(field.description) > 2000 or "\x00" in field.description:
        yield Violation(f"{path}.description", "is at most 2000 characters")
    if field.type is None:
        yield Violation(f"{path}.type", "is one of the known types")
    if field.type is FieldType.SINGLE_SELECT:
        yield from _option_violations(path, field.options)
    elif field.options:
        yield Violation(f"{path}.options", "are for a single select only")


def _option_violations(path: str, options: tuple[str, ...]) -> Iterator[Violation]:
    if not 2 <= len(options) <= OPTIONS_LIMIT:
        yield Violation(f"{path}.options", f"are 2 to {OPTIONS_LIMIT}")
    if len(set(options)) < len(options):
        yield Violation(f"{path}.options", "name a choice twice")
    for index, option in enumerate(options[:OPTIONS_LIMIT]):
        if not _is_line(option, 200):
            yield Violation(f"{path}.options[{index}]", "is one line of 1 to 200 characters")


def _is_line(text: str, limit: int) -> bool:
    return len(text.strip()) > 0 and len(text) <= limit and text.isprintable()
