"""What an organisation writes of a job, and the limits of each field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self

from services.common.errors import InvalidInput, Violation
from services.jobs.domain.plan import NO_PLAN, ScreeningPlan

CURRENCIES = ("USD",)
TITLE_LIMIT = 200
TEXT_LIMIT = 20_000
LIST_LIMIT = 50
POSITIONS_LIMIT = 10_000
AMOUNT_LIMIT = 10_000_000_00

_CATEGORY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}")


class Visibility(StrEnum):
    """Who may find a published job."""

    PUBLIC = "PUBLIC"
    UNLISTED = "UNLISTED"
    INVITE_ONLY = "INVITE_ONLY"


class PayKind(StrEnum):
    """How the work is paid."""

    FIXED = "FIXED"
    HOURLY = "HOURLY"
    PER_LABEL = "PER_LABEL"


@dataclass(frozen=True, slots=True)
class Pay:
    """What the organisation expects to pay, in minor units; a draft may leave any of it open."""

    kind: PayKind | None = None
    minimum: int = 0
    maximum: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a job behaves."""

    visibility: Visibility = Visibility.PUBLIC
    finish_when_filled: bool = False
    add_hires_to_channels: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """What an organisation writes of a job.

    Any value can be held, so that what was stored under older limits can still be read; a job
    takes only one that `require_valid` accepts. An empty value is valid: a draft may be
    incomplete, see `missing`.
    """

    title: str = ""
    description: str = ""
    category: str = ""
    required_languages: tuple[str, ...] = ()
    required_skills: tuple[str, ...] = ()
    required_countries: tuple[str, ...] = ()
    pay: Pay = Pay()
    positions: int = 0
    screening_plan: ScreeningPlan = NO_PLAN
    settings: Settings = Settings()

    def violations(self) -> list[Violation]:
        """Name every field that is outside its limits."""
        return [
            *_text_violations(self),
            *_list_violations(self),
            *_number_violations(self),
            *self.screening_plan.violations(),
        ]

    def require_valid(self) -> None:
        """Raise InvalidInput, naming every bad field at once."""
        if violations := self.violations():
            raise InvalidInput(violations)

    def missing(self) -> list[Violation]:
        """Name every field that publishing needs and this posting lacks."""
        lacks = {
            "job.title": not self.title.strip(),
            "job.description": not self.description.strip(),
            "job.category": not self.category,
            "job.pay.kind": self.pay.kind is None,
            "job.pay.maximum_minor_units": self.pay.maximum == 0,
            "job.pay.currency_code": not self.pay.currency,
            "job.positions": self.positions == 0,
        }
        return [
            Violation(path, "is needed to publish") for path, lacking in lacks.items() if lacking
        ]

    def changes(self, other: Self) -> list[str]:
        """Name the fields in which the two differ, in the order of the form."""
        names = (field.name for field in fields(self))
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def _text_violations(posting: Posting) -> Iterator[Violation]:
    for path, text, limit in (
        ("job.title", posting.title, TITLE_LIMIT),
        ("job.description", posting.description, TEXT_LIMIT),
        ("job.category", posting.category, 64),
    ):
        if len(text) > limit:
            yield Violation(path, f"is longer than {limit} characters")
        if "\x00" in text:
            yield Violation(path, "contains a NUL character")
    if "\n" in posting.title:
        yield Violation("job.title", "is one line")
    if posting.category and not _CATEGORY.fullmatch(posting.category):
        yield Violation("job.category", 'is lower-case words with hyphens: "image-annotation"')
    if posting.pay.currency and posting.pay.currency not in CURRENCIES:
        yield Violation("job.pay.currency_code", f"is one of {', '.join(CURRENCIES)}")


def _list_violations(posting: Posting) -> Iterator[Violation]:
    for name, values, rule in (
        ("required_languages", posting.required_languages, "is a BCP 47 language tag"),
        ("required_skills", posting.required_skills, "is 1 to 64 characters in lower case"),
        ("required_countries", posting.required_countries, "is an ISO 3166-1 alpha-2 code"),
    ):
        if len(values) > LIST_LIMIT:
            yield Violation(f"job.{name}", f"has more than {LIST_LIMIT} entries")
        if len({value.lower() for value in values}) < len(values):
            yield Violation(f"job.{name}", "names an entry twice")
        for index, value in enumerate(values[:LIST_LIMIT]):
            if not _entry_is_valid(name, value):
                yield Violation(f"job.{name}[{index}]", rule)


def _entry_is_valid(name: str, value: str) -> bool:
    match name:
        case "required_languages":
            return len(value) <= 35 and _LANGUAGE.fullmatch(value) is not None
        case "required_countries":
            return _COUNTRY.fullmatch(value) is not None
        case _:
            return 0 < len(value) <= 64 and value == value.strip().lower() and value.isprintable()


def _number_violations(posting: Posting) -> Iterator[Violation]:
    pay = posting.pay
    if not 0 <= posting.positions <= POSITIONS_LIMIT:
        yield Violation("job.positions", f"is between 0 and {POSITIONS_LIMIT}")
    for path, amount in (
        ("job.pay.minimum_minor_units", pay.minimum),
        ("job.pay.maximum_minor_units", pay.maximum),
    ):
        if not 0 <= amount <= AMOUNT_LIMIT:
            yield Violation(path, f"is between 0 and {AMOUNT_LIMIT} minor units")
    if 0 < pay.maximum < pay.minimum:
        yield Violation("job.pay.maximum_minor_units", "is below the minimum")
