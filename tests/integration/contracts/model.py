"""A simple model of what the service of contracts ought to do."""

from dataclasses import dataclass, field

from tests.integration.contracts.calls import (
    BAD_AMOUNT,
    BAD_REASON,
    CONTRACTS,
    MEMBERS,
    NOWHERE,
    Call,
)

Entry = tuple[str, str, dict[str, int]]


def price(amount: int, *, first: bool = True) -> int:
    """What a milestone costs with its fees."""
    return amount + amount // 10 + (995 if first else 0)


@dataclass
class Contract:
    """A contract of the model, with its one milestone, its ledger, its papers and its events."""

    place: int
    milestone_place: int
    amount: int
    state: str = "PENDING"
    milestone: str = "NOT_FUNDED"
    charge: str = ""
    version: int = 1
    ledger: list[Entry] = field(default_factory=list)
    papers: list[tuple[int, str, int]] = field(default_factory=list)
    events: list[str] = field(default_factory=lambda: ["contract.created", "milestone.created"])

    @property
    def organisation(self) -> str:
        return CONTRACTS[self.place][0]

    def seen(self) -> object:
        """What of it is compared."""
        of_milestone = self.milestone, self.amount, self.charge
        return self.place, self.milestone_place, self.state, *of_milestone, f"v{self.version}"

    def balance(self, account: str) -> int:
        """The sum of an account's postings."""
        return sum(postings.get(account, 0) for _, _, postings in self.ledger)

    def tell(self, *events: str) -> None:
        """Note what was told of a change."""
        self.events += events

    def book(self, kind: str, cause: str, **postings: int) -> None:
        """Append an entry to the ledger."""
        self.ledger.append((kind, cause, {name: sum_ for name, sum_ in postings.items() if sum_}))

    def undo(self, kind: str, cause: str, undone: str) -> None:
        """Append what takes an entry of the ledger back."""
        (postings,) = (each[2] for each in self.ledger if each[:2] == (undone, cause))
        self.book(kind, cause, **{name: -sum_ for name, sum_ in postings.items()})

    def give_back(self, refund: str, charged: int) -> None:
        """Note a full refund on the milestone and in the ledger."""
        fees = min(charged, price(self.amount) - self.amount)
        self.book("refund", refund, HELD=charged - fees, FEES=fees, REFUNDED=-charged)
        self.milestone = "REFUNDED"
        self.version += 1
        self.tell("milestone.refunded")

    def charged(self, charge: str, charged: int) -> None:
        """Note a charge in the ledger."""
        fees = min(charged, price(self.amount) - self.amount)
        self.book("funding", charge, CHARGED=charged, HELD=fees - charged, FEES=-fees)


@dataclass(frozen=True)
class Charge:
    """What a charge was booked as; `refund` is empty if it funded the milestone."""

    contract: int
    milestone: int
    amount: int
    currency: str
    refund: str


class Model:
    """What the service ought to do, in memory."""

    def __init__(self) -> None:
        self.contracts: dict[int, Contract] = {}
        self.never: set[int] = set()  # cancelled before they were created
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Contract] = {}
        self.disputes: dict[str, list[object]] = {}  # charge, amount, state
        self.numbers = {"A": 0, "B": 0}

    def charged(self, call: Call) -> int:
        """The amount that a charge or dispute is sent with."""
        known = self.contracts.get(call.contract)
        return call.charged or price(known.amount if known else 45000)

    def apply(self, call: Call) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        if call.caller not in (("workflow",) if call.what != "quote" else (*MEMBERS, *_STAFF)):
            return "CALLER_NOT_ALLOWED"
        if _is_malformed(call):
            return "INVALID_FIELDS"
        if call.what in {"create", "cancel", "quote", "refund_failed", "dispute"}:
            return getattr(self, f"_{call.what}")(call)
        contract = self.contracts.get(call.contract)
        if contract is None:
            return "CONTRACT_CANCELLED" if call.contract in self.never else "NOT_FOUND"
        if contract.milestone_place != call.milestone:
            return "NOT_FOUND"
        return getattr(self, f"_{call.what}")(call, contract)

    def _quote(self, call: Call) -> object:
        if call.contract == NOWHERE:
            return price(call.amount)
        contract = self.contracts.get(call.contract)
        owner = contract and MEMBERS.get(call.caller, contract.organisation)
        if contract is None or owner != contract.organisation:
            return "NOT_FOUND"
        refused = {"CANCELLED": "CONTRACT_CANCELLED", "ENDED": "WRONG_STATE"}
        return refused.get(contract.state) or price(call.amount, first=False)

    def _create(self, call: Call) -> object:
        contract = self.contracts.get(call.contract)
        if call.contract in self.never or (contract and contract.state == "CANCELLED"):
            return "CONTRACT_CANCELLED"
        if contract:
            same = (contract.milestone_place, contract.amount) == (call.milestone, call.amount)
            return contract.seen() if same else "CONTRACT_EXISTS"
        hire = CONTRACTS[call.contract][1]
        for other in self.contracts.values():
            live = other.state in {"PENDING", "ACTIVE"} and CONTRACTS[other.place][1] == hire
            if live or other.milestone_place == call.milestone:
                return "CONTRACT_EXISTS"
        created = Contract(call.contract, call.milestone, call.amount)
        self.contracts[call.contract] = created
        return created.seen()

    def _amend(self, call: Call, contract: Contract) -> object:
        if contract.state == "CANCELLED":
            return "CONTRACT_CANCELLED"
        if (contract.state, contract.milestone) != ("PENDING", "NOT_FUNDED"):
            return "WRONG_STATE"
        if contract.amount != call.amount:
            contract.amount = call.amount
            contract.version += 1
            contract.tell("contract.amended")
        return contract.seen()

    def _cancel(self, call: Call) -> object:
        contract = self.contracts.get(call.contract)
        if contract is None:
            self.never.add(call.contract)
            return False
        if contract.state in {"ACTIVE", "ENDED"}:
            return "WRONG_STATE"
        if contract.state == "PENDING":
            self._give_up(contract)
        return True

    def _give_up(self, contract: Contract) -> None:
        contract.state = "CANCELLED"
        contract.version += 1
        if contract.milestone == "NOT_FUNDED":
            contract.milestone = "CANCELLED"
            contract.tell("milestone.cancelled")
        contract.tell("contract.cancelled")

    def _activate(self, call: Call, contract: Contract) -> object:
        if self._is_known(call, ""):
            same = self.charges.get(call.charge) == self._facts(call, "")
            return (contract.seen(), contract.papers[0]) if same else "CHARGE_RECORDED"
        if contract.charge:
            return "CHARGE_RECORDED"
        if contract.state == "CANCELLED":
            return "CONTRACT_CANCELLED"
        if (self.charged(call), call.currency) != (price(contract.amount), "USD"):
            return "CHARGE_MISMATCH"
        if contract.milestone != "NOT_FUNDED":
            return "WRONG_STATE"
        self.charges[call.charge] = self._facts(call, "")
        contract.charged(call.charge, self.charged(call))
        contract.state, contract.milestone = "ACTIVE", "ACTIVE_FUNDED"
        contract.charge = call.charge
        contract.version += 1
        contract.tell("milestone.funded", "contract.activated", "invoice.issued")
        return contract.seen(), self._paper(contract, "FUNDING")

    def _late(self, call: Call, contract: Contract) -> object:
        if self._is_known(call, call.refund):
            same = self.charges.get(call.charge) == self._facts(call, call.refund)
            return contract.seen() if same else "CHARGE_RECORDED"
        if contract.state not in {"PENDING", "CANCELLED"}:
            return "WRONG_STATE"
        if call.currency != "USD":
            return "CHARGE_MISMATCH"
        self.charges[call.charge] = self._facts(call, call.refund)
        self.refunds[call.refund] = contract
        contract.charged(call.charge, self.charged(call))
        contract.give_back(call.refund, self.charged(call))
        return contract.seen()

    def _refund(self, call: Call, contract: Contract) -> object:
        if self._is_known(call, "") and self.charges.get(call.charge) == self._facts(call, ""):
            booked = self.refunds.get(call.refund)
            if booked:
                same = booked is contract
                return (contract.seen(), contract.papers[1]) if same else "CHARGE_RECORDED"
            if contract.milestone != "ACTIVE_FUNDED":
                return "WRONG_STATE"
            self.refunds[call.refund] = contract
            contract.give_back(call.refund, self.charged(call))
            contract.state = "ENDED"
            contract.version += 1
            contract.tell("contract.ended", "invoice.issued")
            return contract.seen(), self._paper(contract, "CREDIT_NOTE")
        answer = self._late(call, contract)
        if isinstance(answer, str):
            return answer
        if contract.state == "PENDING":
            self._give_up(contract)
        return contract.seen(), None

    def _refund_failed(self, call: Call) -> object:
        contract = self.refunds.get(call.refund)
        if contract is None:
            return "NOT_FOUND"
        if all(each[:2] != ("refund_failed", call.refund) for each in contract.ledger):
            contract.undo("refund_failed", call.refund, "refund")
            contract.tell("refund.failed")
        return contract.seen()

    def _dispute(self, call: Call) -> object:
        charge = self.charges.get(call.charge)
        if charge is None:
            return "NOT_FOUND"
        contract, taken = self.contracts[charge.contract], self.charged(call)
        if call.currency != charge.currency or taken > charge.amount:
            return "CHARGE_MISMATCH"
        known = self.disputes.get(call.dispute)
        if known is None:
            known = self.disputes[call.dispute] = [call.charge, taken, "OPEN"]
            self._open(call, contract, taken)
        if known[:2] != [call.charge, taken]:
            return "WRONG_STATE"
        if known[2] != "OPEN" and call.state not in {"OPEN", known[2]}:
            return "WRONG_STATE"
        if known[2] == "OPEN" != call.state:
            known[2] = call.state
            self._close(call, contract)
        return contract.seen()

    def _open(self, call: Call, contract: Contract, taken: int) -> None:
        held = min(taken, -contract.balance("HELD"))
        lost = taken - held
        contract.book(
            "chargeback", call.dispute, HELD=held, PLATFORM_LOSS=lost, CHARGED_BACK=-taken
        )
        if contract.milestone == "ACTIVE_FUNDED":
            contract.milestone = "DISPUTED"
            contract.version += 1
        contract.tell("milestone.disputed")

    def _close(self, call: Call, contract: Contract) -> None:
        if call.state == "WON":
            contract.undo("chargeback_reversed", call.dispute, "chargeback")
        states = [state for charge, _, state in self.disputes.values() if charge == call.charge]
        if contract.milestone == "DISPUTED" and "OPEN" not in states:
            contract.milestone = "REFUNDED" if "LOST" in states else "ACTIVE_FUNDED"
            contract.version += 1
        contract.tell("dispute.closed")

    def _facts(self, call: Call, refund: str) -> Charge:
        return Charge(call.contract, call.milestone, self.charged(call), call.currency, refund)

    def _is_known(self, call: Call, refund: str) -> bool:
        fundings = {charge[:1] for charge in self.charges}
        return call.funding in fundings or refund in self.refunds

    def _paper(self, contract: Contract, kind: str) -> tuple[int, str, int]:
        self.numbers[contract.organisation] += 1
        number = self.numbers[contract.organisation]
        contract.papers.append((number, kind, price(contract.amount)))
        return contract.papers[-1]


_STAFF = ("workflow", "operator")


def _is_malformed(call: Call) -> bool:
    money = call.what in {"activate", "late", "refund", "dispute"}
    return (
        (call.what in {"create", "amend", "quote"} and call.amount == BAD_AMOUNT)
        or (call.what in {"cancel", "refund"} and call.reason == BAD_REASON)
        or (money and not call.currency.isupper())
        or (call.what == "dispute" and call.state == "UNSPECIFIED")
    )
