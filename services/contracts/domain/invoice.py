"""The numbered papers: what an employer paid, what a trainer received."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.contracts.domain.contract import Contract
from services.contracts.domain.milestone import Milestone

TAX_NOTE = "Taxes are not part of this invoice; each party declares its own."


class InvoiceKind(StrEnum):
    """The kinds of paper."""

    FUNDING = "FUNDING"
    PAYOUT_STATEMENT = "PAYOUT_STATEMENT"
    CREDIT_NOTE = "CREDIT_NOTE"


# A trainer learns what was paid out to it, never what the employer paid beside that.
TRAINER_KINDS = frozenset({InvoiceKind.PAYOUT_STATEMENT})


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What is paid for, and its amount in minor units."""

    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A paper, never changed once issued; `number` counts without a gap in its organisation."""

    invoice_id: str
    organisation_id: str
    number: int
    kind: InvoiceKind
    contract_id: str
    milestone_id: str
    lines: tuple[InvoiceLine, ...]
    currency: str
    note: str
    issue_time: datetime

    @property
    def total(self) -> int:
        """The sum of the lines."""
        return sum(line.amount for line in self.lines)

    @classmethod
    def of_funding(
        cls,
        invoice_id: str,
        number: int,
        *,
        contract: Contract,
        milestone: Milestone,
        now: datetime,
    ) -> Self:
        """Write down what the employer paid for a funding; a fee of nothing has no line."""
        quote = milestone.quote
        lines = (
            InvoiceLine(f"Milestone: {milestone.terms.name}", quote.amount),
            InvoiceLine("Marketplace fee", quote.marketplace_fee),
            InvoiceLine("Contract fee, once per contract", quote.contract_fee),
        )
        return cls(
            invoice_id=invoice_id,
            organisation_id=contract.parties.organisation_id,
            number=number,
            kind=InvoiceKind.FUNDING,
            contract_id=contract.contract_id,
            milestone_id=milestone.milestone_id,
            lines=tuple(line for line in lines if line.amount),
            currency=quote.currency,
            note=TAX_NOTE,
            issue_time=now,
        )

    def credited(self, invoice_id: str, number: int, now: datetime) -> Self:
        """Write down that all of this invoice was given back: the same lines, to be paid out."""
        return replace(
            self,
            invoice_id=invoice_id,
            number=number,
            kind=InvoiceKind.CREDIT_NOTE,
            note=f"Credits all of invoice {self.number}. {self.note}",
            issue_time=now,
        )
