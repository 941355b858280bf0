"""A contract's states, and the transitions that move it together with its milestones."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.common.errors import NotFound, Problems, Refused, problems
from services.contracts.domain.charge import Charge
from services.contracts.domain.milestone import Milestone, MilestoneState, MilestoneVerb
from services.contracts.domain.terms import MilestoneTerms, Quote


class ContractState(StrEnum):
    """The states of a contract."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"
    CANCELLED = "CANCELLED"


class ContractVerb(StrEnum):
    """What can be done to a contract, in the words in which a refusal names it."""

    AMEND = "be amended"
    ACTIVATE = "be activated"
    CANCEL = "be cancelled"
    END = "end"
    RECORD_REFUNDED_CHARGE = "take a refunded charge"
    TAKE_MILESTONE = "take a further milestone"


_S, _V, _M = ContractState, ContractVerb, MilestoneVerb

_TRANSITIONS: dict[tuple[ContractVerb, ContractState], ContractState] = {
    (_V.AMEND, _S.PENDING): _S.PENDING,
    (_V.ACTIVATE, _S.PENDING): _S.ACTIVE,
    (_V.CANCEL, _S.PENDING): _S.CANCELLED,
    (_V.END, _S.ACTIVE): _S.ENDED,
    (_V.RECORD_REFUNDED_CHARGE, _S.PENDING): _S.PENDING,
    (_V.RECORD_REFUNDED_CHARGE, _S.CANCELLED): _S.CANCELLED,
    (_V.TAKE_MILESTONE, _S.PENDING): _S.PENDING,
    (_V.TAKE_MILESTONE, _S.ACTIVE): _S.ACTIVE,
}

_WORDS: dict[ContractState, str] = {
    _S.PENDING: "a pending contract",
    _S.ACTIVE: "an active contract",
    _S.ENDED: "a contract that ended",
    _S.CANCELLED: "a cancelled contract",
}


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom and what a contract binds: it never changes."""

    organisation_id: str
    trainer_id: str
    job_id: str
    proposal_id: str
    hire_id: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with its milestones, oldest first; each transition answers with it after.

    `version` grows by one with every transition: it is the etag.
    """

    contract_id: str
    parties: Parties
    state: ContractState
    currency: str
    milestones: tuple[Milestone, ...]
    version: int
    create_time: datetime
    activate_time: datetime | None = None
    end_time: datetime | None = None

    def __post_init__(self) -> None:
        if not self.milestones:
            raise ValueError("a contract has at least one milestone")
        if any(each.terms.currency != self.currency for each in self.milestones):
            raise ValueError("a contract has one currency")

    @classmethod
    def propose(
        cls,
        contract_id: str,
        parties: Parties,
        *,
        milestone_id: str,
        terms: MilestoneTerms,
        quote: Quote,
        now: datetime,
    ) -> Self:
        """Write down what a hire agreed: PENDING until the first milestone is funded."""
        milestone = Milestone(milestone_id, terms, quote, MilestoneState.NOT_FUNDED, now)
        return cls(contract_id, parties, _S.PENDING, terms.currency, (milestone,), 1, now)

    @property
    def etag(self) -> str:
        """Changes with every change of the contract."""
        return f"v{self.version}"

    def milestone(self, milestone_id: str) -> Milestone:
        """Find a milestone. Raises NotFound for one that is not this contract's."""
        for each in self.milestones:
            if each.milestone_id == milestone_id:
                return each
        raise NotFound("milestone", milestone_id)

    def require_same(self, other: Self) -> None:
        """Accept a repeated proposal of this very contract, whatever became of it since.

        Raises:
            Refused: CONTRACT_CANCELLED, or CONTRACT_EXISTS where the other says something else.

        """
        if self.state is _S.CANCELLED:
            raise Refused("CONTRACT_CANCELLED", "the contract was cancelled")
        mine, theirs = self.milestones[0], other.milestones[0]
        if (self.parties, mine.milestone_id, mine.terms, mine.quote) != (
            other.parties,
            theirs.milestone_id,
            theirs.terms,
            theirs.quote,
        ):
            raise Refused("CONTRACT_EXISTS", "the contract exists and says something else")

    def amend(self, milestone_id: str, terms: MilestoneTerms, quote: Quote) -> Self:
        """Replace the terms of an unfunded milestone; the very same terms change nothing.

        Raises:
            NotFound: the milestone is not this contract's.
            InvalidInput: the currency is not the contract's.
            Refused: CONTRACT_CANCELLED, or WRONG_STATE once the contract or milestone is funded.

        """
        milestone = self.milestone(milestone_id)
        self._require(_V.AMEND)
        with problems() as found:
            _require_currency(found, "milestone.amount.currency_code", terms.currency, self)
        amended = milestone.amend(terms, quote)
        return self if amended == milestone else self._next(amended)

    def activate(self, milestone_id: str, charge: Charge, now: datetime) -> Self:
        """Fund the milestone with a charge of exactly its quote and begin the contract.

        Raises:
            NotFound: the milestone is not this contract's.
            Refused: CHARGE_RECORDED where another charge funded the milestone; CONTRACT_CANCELLED;
                WRONG_STATE; CHARGE_MISMATCH for another amount or currency than the quote's.

        """
        milestone = self.milestone(milestone_id)
        milestone.require_uncharged()
        state = self._require(_V.ACTIVATE)
        quote = milestone.quote
        if (charge.amount, charge.currency) != (quote.total, quote.currency):
            raise Refused(
                "CHARGE_MISMATCH",
                f"the charge is {charge.amount} {charge.currency}, "
                f"the milestone costs {quote.total} {quote.currency}",
            )
        funded = milestone.fund(charge.charge_id, now)
        return replace(self._next(funded), state=state, activate_time=now)

    def record_refunded_charge(self, milestone_id: str, charge: Charge) -> Self:
        """Note on the milestone that a charge came too late and was given back in full.

        Any amount is booked, since it was charged; the currency must be the contract's.

        Raises:
            NotFound: the milestone is not this contract's.
            Refused: CHARGE_MISMATCH for another currency; WRONG_STATE once the contract was
                active.

        """
        milestone = self.milestone(milestone_id)
        self._require(_V.RECORD_REFUNDED_CHARGE)
        if charge.currency != self.currency:
            raise Refused("CHARGE_MISMATCH", f"the contract's currency is {self.currency}")
        return self._next(milestone.apply(MilestoneVerb.RECORD_REFUNDED_CHARGE))

    def dispute(self, milestone_id: str) -> Self:
        """Note that the bank contests the milestone's charge.

        A milestone that cannot be disputed stays as it is, such as a refunded one: then only its
        money moves. Raises NotFound for a milestone that is not this contract's.
        """
        milestone = self.milestone(milestone_id)
        return self._next(milestone.apply(_M.DISPUTE)) if milestone.disputable else self

    def close_dispute(self, milestone_id: str, *, won: bool) -> Self:
        """Let a disputed milestone go back to where the dispute found it, or be REFUNDED if lost.

        For when all disputes of its charge are decided: `won` means that all were. One that is not
        disputed stays as it is. Raises NotFound.
        """
        milestone = self.milestone(milestone_id)
        if milestone.state is not MilestoneState.DISPUTED:
            return self
        return self._next(milestone.apply(_M.WIN_DISPUTE if won else _M.LOSE_DISPUTE))

    def cancel(self, now: datetime) -> Self:
        """Give up a contract that was never active, and its unfunded milestones with it.

        A milestone whose late charge was given back stays REFUNDED. Cancelling again changes
        nothing. Raises Refused WRONG_STATE once the contract was active.
        """
        if self.state is _S.CANCELLED:
            return self
        state = self._require(_V.CANCEL)
        milestones = tuple(_cancelled(each) for each in self.milestones)
        return replace(
            self, state=state, milestones=milestones, version=self.version + 1, end_time=now
        )

    def end(self, now: datetime) -> Self:
        """End an active contract. Raises Refused WRONG_STATE while a milestone is unresolved."""
        state = self._require(_V.END)
        if not all(each.resolved for each in self.milestones):
            raise Refused("WRONG_STATE", "a contract with unresolved milestones cannot end")
        return replace(self, state=state, version=self.version + 1, end_time=now)

    def refund(self, milestone_id: str, now: datetime) -> Self:
        """Give a milestone's money back in full, and end with it.

        Raises:
            NotFound: the milestone is not this contract's.
            Refused: WRONG_STATE when the contract is not active, the milestone's money is no
                longer held, or another milestone is unresolved.

        """
        milestone = self.milestone(milestone_id)
        self._require(_V.END)
        return self._next(milestone.apply(MilestoneVerb.REFUND)).end(now)

    def require_room_for(self, quote: Quote) -> None:
        """Refuse a further milestone that this contract could not take.

        Raises:
            InvalidInput: the currency is not the contract's.
            Refused: CONTRACT_CANCELLED, or WRONG_STATE when the contract ended.

        """
        self._require(_V.TAKE_MILESTONE)
        with problems() as found:
            _require_currency(found, "amount.currency_code", quote.currency, self)

    def _require(self, verb: ContractVerb) -> ContractState:
        after = _TRANSITIONS.get((verb, self.state))
        if after is None:
            cancelled = self.state is _S.CANCELLED
            reason = "CONTRACT_CANCELLED" if cancelled else "WRONG_STATE"
            raise Refused(reason, f"{_WORDS[self.state]} cannot {verb}")
        return after

    def _next(self, milestone: Milestone) -> Self:
        changed = milestone.milestone_id
        milestones = tuple(
            milestone if each.milestone_id == changed else each for each in self.milestones
        )
        return replace(self, milestones=milestones, version=self.version + 1)


def _cancelled(milestone: Milestone) -> Milestone:
    if milestone.state in {MilestoneState.CANCELLED, MilestoneState.REFUNDED}:
        return milestone
    return milestone.apply(MilestoneVerb.CANCEL)


def _require_currency(found: Problems, field: str, currency: str, contract: Contract) -> None:
    found.require(currency == contract.currency, field, f"must be {contract.currency}")
