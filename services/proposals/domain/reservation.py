"""A hire's claim on one proposal, beside the employer's review."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from services.common.errors import Refused


class ReservationState(StrEnum):
    """The states of a reservation."""

    RESERVED = "RESERVED"
    # Also the tombstone of a hire that was undone before it reserved.
    RELEASED = "RELEASED"
    HIRED = "HIRED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """One hire's reservation; there is one per hire, for ever. Without a contract until HIRED."""

    hire_id: str
    proposal_id: str
    state: ReservationState
    contract_id: str = ""

    def require_not_released(self) -> None:
        """Raise Refused RESERVATION_RELEASED when the hire was undone."""
        if self.state is ReservationState.RELEASED:
            raise Refused("RESERVATION_RELEASED", "the hire let the proposal go")

    def release(self) -> Self:
        """Let the proposal go; again changes nothing.

        Raises Refused WRONG_STATE after the hire: it is the contract then that ends.
        """
        if self.state is ReservationState.HIRED:
            raise Refused("WRONG_STATE", "a proposal that is hired cannot be released")
        return replace(self, state=ReservationState.RELEASED)

    def hire(self, contract_id: str) -> Self:
        """End well, with this contract; again changes nothing.

        Raises Refused: RESERVATION_RELEASED, or WRONG_STATE when it ended with another contract.
        """
        self.require_not_released()
        if self.state is ReservationState.HIRED and self.contract_id != contract_id:
            raise Refused("WRONG_STATE", "the proposal is hired under another contract")
        return replace(self, state=ReservationState.HIRED, contract_id=contract_id)
