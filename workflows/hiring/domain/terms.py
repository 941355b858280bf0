"""What an employer asks to hire for, and what it costs. Amounts are integer minor units."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.common.errors import Problems
from workflows.hiring.domain.actor import Actor

CURRENCIES = ("USD",)
NAME_LIMIT = 200
SCOPE_LIMIT = 20_000
# Stripe charges no less than $0.50, and no more than eight digits of minor units at once.
MINIMUM_AMOUNT = 50
MAXIMUM_TOTAL = 99_999_999


@dataclass(frozen=True, slots=True)
class Totals:
    """What terms cost, frozen: later changes of the fees leave them alone."""

    amount: int
    marketplace_fee: int
    contract_fee: int
    currency: str

    @property
    def total(self) -> int:
        """What the employer is charged."""
        return self.amount + self.marketplace_fee + self.contract_fee


@dataclass(frozen=True, slots=True)
class Milestone:
    """The first milestone as it was asked for; `amount` is what the trainer receives."""

    name: str
    scope: str
    amount: int
    currency: str
    due_date: date | None = None

    def check(self, noted: Problems) -> None:
        """Note every field outside its limits.

        A due date in the past is allowed: a late repeat of a request must find its hire.
        """
        for path, text, limit in (
            ("milestone.name", self.name, NAME_LIMIT),
            ("milestone.scope", self.scope, SCOPE_LIMIT),
        ):
            noted.require(len(text) <= limit, path, f"must have at most {limit} characters")
            noted.require("\x00" not in text, path, "must not contain a NUL character")
        one_line = self.name.splitlines() == [self.name] and not self.name.isspace()
        noted.require(one_line, "milestone.name", "must be one line of text")
        noted.require(
            MINIMUM_AMOUNT <= self.amount <= MAXIMUM_TOTAL,
            "milestone.amount.minor_units",
            f"must be between {MINIMUM_AMOUNT} and {MAXIMUM_TOTAL}",
        )
        noted.require(
            self.currency in CURRENCIES,
            "milestone.amount.currency_code",
            f"must be one of {', '.join(CURRENCIES)}",
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """The milestone's texts and totals, as a contract is made of them."""

    name: str
    scope: str
    totals: Totals
    due_date: date | None


class Verdict(StrEnum):
    """What became of terms: the first are accepted as they come, others by the workflow."""

    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one StartHire asks for, before it is known which hire it becomes part of.

    A payment method is not a term: a wish with another one is the same wish.
    """

    proposal_id: str
    milestone: Milestone
    confirm_declined: bool

    @property
    def fingerprint(self) -> str:
        """Tell equal terms by: equal text, however it is asked for, has an equal fingerprint."""
        asked = self.milestone
        told = repr(
            (
                self.proposal_id,
                asked.currency,
                asked.name,
                asked.scope,
                asked.amount,
                asked.due_date.isoformat() if asked.due_date else None,
                self.confirm_declined,
            )
        )
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class HireTerms:
    """One revision of a hire's terms: who asked for it, how it is paid, what became of it."""

    hire_id: str
    revision: int
    terms: Terms
    confirm_declined: bool
    payment_method_id: str | None
    requested_by: Actor
    requested_at: datetime
    fingerprint: str
    verdict: Verdict
    refused_reason: str | None = None
