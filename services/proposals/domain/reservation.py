"""A hire's claim on one proposal, beside the employer's review."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from services.common.errors import Refused
from services.proposals.domain.proposal import ReviewState


class ReservationState(StrEnum):
    """The states of a reservation."""

    RESERVED = "RESERVED"
    # Also the tombstone of a hire that was undone before it reserved.
    RELEASED = "RELEASED"
    HIRED = "HIRED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """One hire's reservation; there is one per hire, for ever. Without a contract until HIRED.

    `reviewed` is the review state in which HIRED found the proposal.
    """

    hire_id: str
    proposal_id: str
    state: ReservationState
    contract_id: str = ""
    reviewed: ReviewState | None = None

    def require_not_released(self) -> None:
        """Raise Refused RESERVATION_RELEASED when the hire was undone."""
        if self.state is ReservationState.RELEASED:
            raise Refused("RESERVATION_RELEASED", "the hire let the proposal go")

    def release(self, ended_contract_id: str = "") -> Self:
        """Let the proposal go; again changes nothing.

        Raises Refused WRONG_STATE after the hire, unless by the very contract that came of it: the
        hire names it when that ended with all its money given back.
        """
        if self.state is ReservationState.HIRED and ended_contract_id != self.contract_id:
            raise Refused("WRONG_STATE", "a proposal that is hired cannot be released")
        return replace(self, state=ReservationState.RELEASED, contract_id="")

    def hire(self, contract_id: str, reviewed: ReviewState) -> Self:
        """End well, with this contract, as the review stood; again changes nothing.

        Raises Refused: RESERVATION_RELEASED, or WRONG_STATE when it ended with another contract.
        """
        self.require_not_released()
        if self.state is ReservationState.HIRED and self.contract_id != contract_id:
            raise Refused("WRONG_STATE", "the proposal is hired under another contract")
        if self.state is ReservationState.HIRED:
            return self
        return replace(
            self, state=ReservationState.HIRED, contract_id=contract_id, reviewed=reviewed
        )
