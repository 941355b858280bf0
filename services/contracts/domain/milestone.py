"""A milestone's states, from agreed to paid, given up or given back."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.common.errors import Refused
from services.contracts.domain.terms import MilestoneTerms, Quote


class MilestoneState(StrEnum):
    """The states of a milestone."""

    NOT_FUNDED = "NOT_FUNDED"
    FUNDING = "FUNDING"
    ACTIVE_FUNDED = "ACTIVE_FUNDED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    RELEASING = "RELEASING"
    PAID = "PAID"
    DISPUTED = "DISPUTED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class MilestoneVerb(StrEnum):
    """What can be done to a milestone, in the words in which a refusal names it."""

    AMEND = "be changed"
    START_FUNDING = "start to be funded"
    STOP_FUNDING = "stop being funded"
    FUND = "be funded"
    SUBMIT = "be submitted"
    REQUEST_CHANGES = "be sent back for changes"
    RELEASE = "be released"
    PAY = "be paid"
    DISPUTE = "be disputed"
    WIN_DISPUTE = "win a dispute"
    LOSE_DISPUTE = "lose a dispute"
    SPLIT = "be split"
    CANCEL = "be cancelled"
    REFUND = "be refunded"
    RECORD_REFUNDED_CHARGE = "take a refunded charge"


_S, _V = MilestoneState, MilestoneVerb

_UNFUNDED = (_S.NOT_FUNDED, _S.FUNDING)
_HELD = (_S.ACTIVE_FUNDED, _S.PENDING_APPROVAL)

# Funding may skip FUNDING: the hire keeps its own record of the payment that is under way. A
# charge that came too late is booked whatever became of the milestone, as long as no other charge
# funded it. DISPUTED knows where it came from, so winning leads back there; what the bank took is
# not held, so it cannot be given back as well.
_TRANSITIONS: dict[tuple[MilestoneVerb, MilestoneState], MilestoneState] = {
    **{(_V.AMEND, state): state for state in _UNFUNDED},
    (_V.START_FUNDING, _S.NOT_FUNDED): _S.FUNDING,
    (_V.STOP_FUNDING, _S.FUNDING): _S.NOT_FUNDED,
    **{(_V.FUND, state): _S.ACTIVE_FUNDED for state in _UNFUNDED},
    (_V.SUBMIT, _S.ACTIVE_FUNDED): _S.PENDING_APPROVAL,
    (_V.REQUEST_CHANGES, _S.PENDING_APPROVAL): _S.ACTIVE_FUNDED,
    (_V.RELEASE, _S.PENDING_APPROVAL): _S.RELEASING,
    (_V.PAY, _S.RELEASING): _S.PAID,
    **{(_V.DISPUTE, state): _S.DISPUTED for state in (*_HELD, _S.RELEASING, _S.PAID)},
    (_V.LOSE_DISPUTE, _S.DISPUTED): _S.REFUNDED,
    (_V.SPLIT, _S.DISPUTED): _S.RELEASING,
    **{(_V.CANCEL, state): _S.CANCELLED for state in _UNFUNDED},
    **{(_V.REFUND, state): _S.REFUNDED for state in _HELD},
    **{
        (_V.RECORD_REFUNDED_CHARGE, state): _S.REFUNDED
        for state in (*_UNFUNDED, _S.CANCELLED, _S.REFUNDED)
    },
}

_WORDS: dict[MilestoneState, str] = {
    _S.NOT_FUNDED: "a milestone that is not funded",
    _S.FUNDING: "a milestone that is being funded",
    _S.ACTIVE_FUNDED: "a funded milestone",
    _S.PENDING_APPROVAL: "a milestone that awaits approval",
    _S.RELEASING: "a milestone that is being released",
    _S.PAID: "a paid milestone",
    _S.DISPUTED: "a disputed milestone",
    _S.CANCELLED: "a cancelled milestone",
    _S.REFUNDED: "a refunded milestone",
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone of a contract; each transition answers with the milestone after it.

    `charge_id` is empty until a charge funded it. `disputed_in` is the state in which the
    dispute, if one is open, found it.
    """

    milestone_id: str
    terms: MilestoneTerms
    quote: Quote
    state: MilestoneState
    create_time: datetime
    charge_id: str = ""
    fund_time: datetime | None = None
    disputed_in: MilestoneState | None = None

    def __post_init__(self) -> None:
        if (self.state is _S.DISPUTED) != (self.disputed_in is not None):
            raise ValueError("a dispute, and only a dispute, knows the state it found")
        if (self.terms.amount, self.terms.currency) != (self.quote.amount, self.quote.currency):
            raise ValueError("a milestone costs what its quote says")
        if bool(self.charge_id) != (self.fund_time is not None):
            raise ValueError("a funding has both its charge and its time")

    @property
    def resolved(self) -> bool:
        """Whether nothing more is owed: nothing is held, disputed or under way."""
        return self.state in {_S.NOT_FUNDED, _S.PAID, _S.CANCELLED, _S.REFUNDED}

    @property
    def disputable(self) -> bool:
        """Whether a dispute moves it: its money is held or was paid."""
        return (_V.DISPUTE, self.state) in _TRANSITIONS

    def apply(self, verb: MilestoneVerb) -> Self:
        """Do what the verb says. Raises Refused WRONG_STATE where the state does not know it.

        Funding and amending carry more than their verb: see `fund` and `amend`.
        """
        if verb is _V.WIN_DISPUTE and self.disputed_in is not None:
            return replace(self, state=self.disputed_in, disputed_in=None)
        after = _TRANSITIONS.get((verb, self.state))
        # What was transferred is no longer held: nothing is left to split.
        if after is None or (verb is _V.SPLIT and self.disputed_in is _S.PAID):
            raise Refused("WRONG_STATE", f"{_WORDS[self.state]} cannot {verb}")
        found = self.state if after is _S.DISPUTED else None
        return replace(self, state=after, disputed_in=found)

    def fund(self, charge_id: str, now: datetime) -> Self:
        """Hold the money of a charge for the trainer.

        Raises Refused: CHARGE_RECORDED when another charge funded it, otherwise WRONG_STATE.
        """
        self.require_uncharged()
        return replace(self.apply(_V.FUND), charge_id=charge_id, fund_time=now)

    def require_uncharged(self) -> None:
        """Raise Refused CHARGE_RECORDED when a charge funded the milestone before."""
        if self.charge_id:
            raise Refused("CHARGE_RECORDED", "another charge funded the milestone")

    def amend(self, terms: MilestoneTerms, quote: Quote) -> Self:
        """Replace what is agreed. Raises Refused WRONG_STATE once it is funded or given up."""
        return replace(self.apply(_V.AMEND), terms=terms, quote=quote)
