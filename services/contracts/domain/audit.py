"""Whether a ledger holds: entry by entry against what caused it, then as a whole.

It takes entries as they are stored, for what is stored may be wrong. Every rule compares an entry
with something else that was written at the same time: its place, its charge, the refund or dispute
that it answers, the milestone's state. So one wrong value cannot vouch for itself.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.contracts.domain import ledger
from services.contracts.domain.charge import RecordedCharge
from services.contracts.domain.contract import Contract, ContractState
from services.contracts.domain.dispute import Dispute, DisputeState
from services.contracts.domain.ledger import Account, EntryKind, Movement
from services.contracts.domain.milestone import Milestone, MilestoneState

_K, _A, _S = EntryKind, Account, MilestoneState


class Rule(StrEnum):
    """What a ledger may break; the proto `LedgerRule` says what each means."""

    SEQUENCE = "SEQUENCE"
    BALANCE = "BALANCE"
    CURRENCY = "CURRENCY"
    MILESTONE = "MILESTONE"
    POSTINGS = "POSTINGS"
    CAUSE = "CAUSE"
    OVERDRAWN = "OVERDRAWN"
    STATE = "STATE"


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A ledger entry as it is stored, right or wrong; an account that does not move has zero."""

    sequence: int
    kind: EntryKind
    milestone_id: str
    external_id: str
    currency: str
    postings: Mapping[Account, int]

    @property
    def moved(self) -> dict[Account, int]:
        """The accounts that move."""
        return {account: amount for account, amount in self.postings.items() if amount}


@dataclass(frozen=True, slots=True)
class Books:
    """A contract and all that was booked for it; the entries in the order of their numbers."""

    contract: Contract
    entries: Sequence[StoredEntry]
    charges: Sequence[RecordedCharge]
    disputes: Sequence[Dispute]


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing wrong in a ledger; `sequence` is 0 where no entry is to blame."""

    contract_id: str
    sequence: int
    rule: Rule
    message: str


class _Wrong(Exception):
    """An entry, or the whole, breaks a rule."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


def audit(books: Books) -> Finding | None:
    """Find the first thing wrong in a ledger; None if all of it holds."""
    sequence = 0
    try:
        audited = _Audit(books)
        for sequence, entry in enumerate(books.entries, start=1):
            audited.take(sequence, entry)
        sequence = 0
        audited.conclude()
    except _Wrong as wrong:
        return Finding(books.contract.contract_id, sequence, wrong.rule, wrong.message)
    return None


class _Audit:
    """One walk through a ledger; what was seen so far."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._charges = {each.charge.charge_id: each for each in books.charges}
        self._disputes = {each.dispute_id: each for each in books.disputes}
        self._milestones = {each.milestone_id: each for each in books.contract.milestones}
        self._seen: dict[tuple[EntryKind, str], StoredEntry] = {}
        self._balances: dict[str, dict[Account, int]] = defaultdict(lambda: dict.fromkeys(_A, 0))

    def take(self, place: int, entry: StoredEntry) -> None:
        """Check an entry by itself, against its cause, and the balances after it."""
        _require(entry.sequence == place, Rule.SEQUENCE, f"entry {place} is missing")
        balanced = entry.moved and sum(entry.postings.values()) == 0
        _require(balanced, Rule.BALANCE, "its postings do not sum to zero")
        currency = self._books.contract.currency
        _require(entry.currency == currency, Rule.CURRENCY, f"its currency is not {currency}")
        known = entry.milestone_id in self._milestones
        _require(known, Rule.MILESTONE, "its milestone is not one of the contract")
        _CHECKS[entry.kind](self, entry)
        self._seen[entry.kind, entry.external_id] = entry
        balances = self._balances[entry.milestone_id]
        for account, amount in entry.postings.items():
            balances[account] += amount
        for account, amount in balances.items():
            sound = amount >= 0 if account in _DEBITS else amount <= 0
            _require(sound, Rule.OVERDRAWN, f"after it {account} is below zero")

    def conclude(self) -> None:
        """Check that every cause was booked and that the states agree with the balances."""
        for recorded in self._books.charges:
            self._require_booked(_K.FUNDING, recorded.charge.charge_id)
            if recorded.refund_id:
                self._require_booked(_K.REFUND, recorded.refund_id)
        for dispute in self._books.disputes:
            self._require_booked(_K.CHARGEBACK, dispute.dispute_id)
            if dispute.state is DisputeState.WON:
                self._require_booked(_K.CHARGEBACK_REVERSED, dispute.dispute_id)
        for milestone in self._books.contract.milestones:
            self._require_state(milestone)
        begun = self._books.contract.state in {ContractState.ACTIVE, ContractState.ENDED}
        funded = any(each.charge_id for each in self._books.contract.milestones)
        _require(begun == funded, Rule.STATE, "a contract begins with a funded milestone")

    def funding(self, entry: StoredEntry) -> None:
        """Check a funding: it is its charge, divided as the milestone was quoted."""
        recorded = self._charges.get(entry.external_id)
        caused = recorded is not None and recorded.milestone_id == entry.milestone_id
        _require(caused, Rule.CAUSE, f"no charge {entry.external_id} of its milestone")
        if recorded is not None:
            split = self._milestones[entry.milestone_id].quote.split(recorded.charge.amount)
            _require_moves(entry, ledger.funding(*split))

    def refund(self, entry: StoredEntry) -> None:
        """Check a refund: of what was held and perhaps fees; of a late charge all of it."""
        moved = entry.moved
        _require_accounts(entry, {_A.HELD, _A.FEES, _A.REFUNDED})
        given = moved.get(_A.REFUNDED, 0) < 0 <= min(moved.get(_A.HELD, 0), moved.get(_A.FEES, 0))
        _require(given, Rule.POSTINGS, "a refund takes from HELD and FEES and adds to REFUNDED")
        for recorded in self._books.charges:
            if recorded.refund_id == entry.external_id:
                quote = self._milestones[entry.milestone_id].quote
                _require_moves(entry, ledger.refund(*quote.split(recorded.charge.amount)))

    def transfer(self, entry: StoredEntry) -> None:
        """Check a transfer or its return: between HELD and TRANSFERRED alone."""
        _require_accounts(entry, {_A.HELD, _A.TRANSFERRED})
        forth = entry.moved[_A.HELD] > 0
        _require(forth is (entry.kind is _K.TRANSFER), Rule.POSTINGS, "it moves the wrong way")

    def chargeback(self, entry: StoredEntry) -> None:
        """Check a chargeback: what its dispute took, first of what was held, then from Hireflow."""
        dispute = self._disputes.get(entry.external_id)
        recorded = self._charges.get(dispute.charge_id) if dispute else None
        caused = recorded is not None and recorded.milestone_id == entry.milestone_id
        _require(caused, Rule.CAUSE, f"no dispute {entry.external_id} of its milestone")
        if dispute is not None:
            held = -self._balances[entry.milestone_id][_A.HELD]
            taken = min(held, dispute.amount)
            _require_moves(entry, ledger.chargeback(taken, dispute.amount - taken))

    def returned(self, entry: StoredEntry) -> None:
        """Check what came back: it undoes exactly what went under the same id."""
        went = self._seen.get((_RETURNS[entry.kind], entry.external_id))
        _require(went, Rule.CAUSE, f"nothing went under {entry.external_id} that could come back")
        if went is not None:
            back = {account: -amount for account, amount in went.moved.items()}
            _require(entry.moved == back, Rule.POSTINGS, f"it does not undo entry {went.sequence}")

    def _require_booked(self, kind: EntryKind, external_id: str) -> None:
        booked = (kind, external_id) in self._seen
        _require(booked, Rule.CAUSE, f"the {kind} of {external_id} is not booked")

    def _require_state(self, milestone: Milestone) -> None:
        balances = self._balances[milestone.milestone_id]
        held, charged = -balances[_A.HELD], balances[_A.CHARGED]
        told = f"milestone {milestone.milestone_id} is {milestone.state} and holds {held}"
        match milestone.state:
            case _S.NOT_FUNDED | _S.FUNDING | _S.CANCELLED:
                _require(charged == 0, Rule.STATE, told)
            case _S.ACTIVE_FUNDED | _S.PENDING_APPROVAL | _S.RELEASING:
                _require(held == milestone.quote.amount, Rule.STATE, told)
            case _S.PAID:
                _require(held == 0 and charged > 0, Rule.STATE, told)
            case _S.DISPUTED:
                _require(balances[_A.CHARGED_BACK] < 0, Rule.STATE, told)
            case _S.REFUNDED if not balances[_A.CHARGED_BACK]:
                # A refund that failed is owed again.
                owed = -sum(
                    entry.postings[_A.HELD]
                    for entry in self._books.entries
                    if entry.kind is _K.REFUND_FAILED
                    and entry.milestone_id == milestone.milestone_id
                )
                _require(charged > 0 and held == owed, Rule.STATE, told)
            case _:
                pass


_DEBITS = {_A.CHARGED, _A.PLATFORM_LOSS}
_RETURNS = {_K.REFUND_FAILED: _K.REFUND, _K.CHARGEBACK_REVERSED: _K.CHARGEBACK}
_CHECKS: dict[EntryKind, Callable[[_Audit, StoredEntry], None]] = {
    _K.FUNDING: _Audit.funding,
    _K.REFUND: _Audit.refund,
    _K.REFUND_FAILED: _Audit.returned,
    _K.TRANSFER: _Audit.transfer,
    _K.TRANSFER_REVERSED: _Audit.transfer,
    _K.CHARGEBACK: _Audit.chargeback,
    _K.CHARGEBACK_REVERSED: _Audit.returned,
}


def _require(condition: object, rule: Rule, message: str) -> None:
    if not condition:
        raise _Wrong(rule, message)


def _require_accounts(entry: StoredEntry, accounts: set[Account]) -> None:
    moved = set(entry.moved)
    _require(moved <= accounts, Rule.POSTINGS, f"a {entry.kind} does not move {moved - accounts}")


def _require_moves(entry: StoredEntry, movement: Movement) -> None:
    expected = dict(movement.postings)
    _require(entry.moved == expected, Rule.POSTINGS, f"it moves {entry.moved}, not {expected}")
