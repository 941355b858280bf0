"""The double-entry ledger of a contract: append only, minor units, one currency.

Debits are positive, credits negative, and the postings of an entry sum to zero. CHARGED and
PLATFORM_LOSS grow by debits, the other accounts by credits; so zero is the same statement as

    charged = held + transferred + refunded + charged back + fees - platform loss
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self


class Account(StrEnum):
    """The accounts of a contract's ledger."""

    CHARGED = "CHARGED"
    HELD = "HELD"
    TRANSFERRED = "TRANSFERRED"
    REFUNDED = "REFUNDED"
    CHARGED_BACK = "CHARGED_BACK"
    FEES = "FEES"
    PLATFORM_LOSS = "PLATFORM_LOSS"


class EntryKind(StrEnum):
    """What happened to the money."""

    FUNDING = "funding"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    TRANSFER = "transfer"
    TRANSFER_REVERSED = "transfer_reversed"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened, and its postings: at most one per account, none of zero, their sum zero.

    Raises ValueError for postings that do not balance.
    """

    kind: EntryKind
    postings: Mapping[Account, int]

    def __post_init__(self) -> None:
        amounts = list(self.postings.values())
        if not amounts or 0 in amounts or sum(amounts) != 0:
            raise ValueError("the postings of a movement are not zero and sum to zero")

    @classmethod
    def of(cls, kind: EntryKind, postings: Mapping[Account, int]) -> Self:
        """Build a movement, leaving out what does not move."""
        moved = {account: amount for account, amount in postings.items() if amount}
        return cls(kind, MappingProxyType(moved))

    def undone(self, kind: EntryKind) -> Self:
        """Build the movement that takes this one back, under its own name."""
        return self.of(kind, {account: -amount for account, amount in self.postings.items()})


def funding(held: int, fees: int) -> Movement:
    """Charge the employer: hold the trainer's amount, keep the fees."""
    return Movement.of(
        EntryKind.FUNDING,
        {Account.CHARGED: held + fees, Account.HELD: -held, Account.FEES: -fees},
    )


def refund(held: int, fees: int) -> Movement:
    """Give the employer back what was held, and so much of the fees."""
    return Movement.of(
        EntryKind.REFUND,
        {Account.HELD: held, Account.FEES: fees, Account.REFUNDED: -held - fees},
    )


def refund_failed(held: int, fees: int) -> Movement:
    """Take back a refund that the employer's bank returned."""
    return refund(held, fees).undone(EntryKind.REFUND_FAILED)


def transfer(amount: int) -> Movement:
    """Give the trainer what was held."""
    return Movement.of(EntryKind.TRANSFER, {Account.HELD: amount, Account.TRANSFERRED: -amount})


def transfer_reversed(amount: int) -> Movement:
    """Hold again what was transferred."""
    return transfer(amount).undone(EntryKind.TRANSFER_REVERSED)


def chargeback(held: int, lost: int) -> Movement:
    """Give the employer's bank what it took: what is still held, the rest from Hireflow."""
    return Movement.of(
        EntryKind.CHARGEBACK,
        {Account.HELD: held, Account.PLATFORM_LOSS: lost, Account.CHARGED_BACK: -held - lost},
    )


def chargeback_reversed(held: int, lost: int) -> Movement:
    """Take back, after a dispute is won, what the employer's bank took."""
    return chargeback(held, lost).undone(EntryKind.CHARGEBACK_REVERSED)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A booked movement: appended to its contract's ledger, never changed.

    `sequence` counts 1, 2, 3 … in the contract; `external_id` is the Stripe object that caused it.
    """

    contract_id: str
    sequence: int
    milestone_id: str
    external_id: str
    movement: Movement
    currency: str
    book_time: datetime


@dataclass(frozen=True, slots=True)
class Balances:
    """The accounts of a contract, each counted in the direction in which it grows."""

    charged: int
    held: int
    transferred: int
    refunded: int
    charged_back: int
    fees: int
    platform_loss: int

    @property
    def equation_holds(self) -> bool:
        """Whether every minor unit that was charged is accounted for."""
        given = self.held + self.transferred + self.refunded + self.charged_back + self.fees
        return self.charged == given - self.platform_loss


def balances(movements: Iterable[Movement]) -> Balances:
    """Sum a contract's movements by account."""
    sums = dict.fromkeys(Account, 0)
    for movement in movements:
        for account, amount in movement.postings.items():
            sums[account] += amount
    return Balances(
        charged=sums[Account.CHARGED],
        held=-sums[Account.HELD],
        transferred=-sums[Account.TRANSFERRED],
        refunded=-sums[Account.REFUNDED],
        charged_back=-sums[Account.CHARGED_BACK],
        fees=-sums[Account.FEES],
        platform_loss=sums[Account.PLATFORM_LOSS],
    )
