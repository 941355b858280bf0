"""What the parties agree for a milestone, and what its funding costs. Amounts are minor units."""

from dataclasses import dataclass
from datetime import date

from services.common.errors import Problems, problems

CURRENCIES = ("USD",)
NAME_LIMIT = 200
SCOPE_LIMIT = 20_000
# Stripe charges no less than $0.50, and no more than eight digits of minor units at once.
MINIMUM_AMOUNT = 50
MAXIMUM_TOTAL = 99_999_999
_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class MilestoneTerms:
    """What is agreed for one milestone; `amount` is what the trainer receives."""

    name: str
    scope: str
    amount: int
    currency: str
    due_date: date | None = None

    def check(self, found: Problems) -> None:
        """Note every field outside its limits, under its path in the requests."""
        for path, text, limit in (
            ("milestone.name", self.name, NAME_LIMIT),
            ("milestone.scope", self.scope, SCOPE_LIMIT),
        ):
            found.require(len(text) <= limit, path, f"must have at most {limit} characters")
            found.require("\x00" not in text, path, "must not contain a NUL character")
        one_line = self.name.splitlines() == [self.name] and not self.name.isspace()
        found.require(one_line, "milestone.name", "must be one line of text")
        check_amount(found, "milestone.amount", self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a funding costs, frozen: later changes of the fees leave it alone."""

    amount: int
    marketplace_fee: int
    contract_fee: int
    currency: str

    @property
    def fees(self) -> int:
        """What Hireflow keeps."""
        return self.marketplace_fee + self.contract_fee

    @property
    def total(self) -> int:
        """What the employer is charged."""
        return self.amount + self.fees

    def split(self, charged: int) -> tuple[int, int]:
        """Divide a charge, of whatever amount, into what is held for the trainer and the fees."""
        fees = min(self.fees, charged)
        return charged - fees, fees

    def check(self, found: Problems, terms: MilestoneTerms) -> None:
        """Note every field that is outside its limits or disagrees with the milestone's terms."""
        for field, fee in (
            ("quote.marketplace_fee_minor_units", self.marketplace_fee),
            ("quote.contract_fee_minor_units", self.contract_fee),
        ):
            found.require(fee >= 0, field, "must not be negative")
        agreed = "must be what the milestone says"
        found.require(self.amount == terms.amount, "quote.amount_minor_units", agreed)
        found.require(self.currency == terms.currency, "quote.currency_code", agreed)
        limit = f"must be at most {MAXIMUM_TOTAL}"
        found.require(self.total <= MAXIMUM_TOTAL, "quote.total_minor_units", limit)


@dataclass(frozen=True, slots=True)
class Fees:
    """The fees of today: a share of each milestone, and an amount once per contract."""

    marketplace_basis_points: int
    contract: int

    def quote(self, amount: int, currency: str, *, first: bool) -> Quote:
        """Compute what a contract's first or a further milestone costs.

        The marketplace fee is rounded half up to whole minor units, in integers alone: at 10 %
        an amount of 55 gives 5.5 and so 6.

        Raises:
            InvalidInput: the amount or currency is not offered, or Stripe could not charge the sum.

        """
        share = (amount * self.marketplace_basis_points + _BASIS_POINTS // 2) // _BASIS_POINTS
        quote = Quote(amount, share, self.contract if first else 0, currency)
        with problems() as found:
            if check_amount(found, "amount", amount, currency):
                limit = f"must cost at most {MAXIMUM_TOTAL} minor units with its fees"
                found.require(quote.total <= MAXIMUM_TOTAL, "amount.minor_units", limit)
        return quote


def check_amount(found: Problems, path: str, amount: int, currency: str) -> bool:
    """Note what is wrong with an amount that a trainer is to receive; tell whether it is right."""
    limits = f"must be between {MINIMUM_AMOUNT} and {MAXIMUM_TOTAL}"
    in_limits = MINIMUM_AMOUNT <= amount <= MAXIMUM_TOTAL
    found.require(in_limits, f"{path}.minor_units", limits)
    known = f"must be one of {', '.join(CURRENCIES)}"
    return found.require(currency in CURRENCIES, f"{path}.currency_code", known) and in_limits
