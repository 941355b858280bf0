"""A hire's claim on one position of a job."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from services.common.errors import Refused


class ReservationState(StrEnum):
    """The states of a reservation."""

    RESERVED = "RESERVED"
    # Also the tombstone of a hire that was undone before it reserved.
    RELEASED = "RELEASED"
    FILLED = "FILLED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """One hire's reservation; there is one per hire, for ever.

    `contract_id` is empty until the position is filled. `finished_hiring` tells whether filling it
    finished the job's hiring, so that a repeat can answer like the first call.
    """

    hire_id: str
    job_id: str
    state: ReservationState
    contract_id: str = ""
    finished_hiring: bool = False

    def require_not_released(self) -> None:
        """Raise Refused RESERVATION_RELEASED when the hire was undone."""
        if self.state is ReservationState.RELEASED:
            raise Refused("RESERVATION_RELEASED", "the hire gave its position back")

    def release(self, ended_contract_id: str = "") -> Self:
        """Give the position back.

        Raises Refused WRONG_STATE on a filled position, unless by the very contract that fills it:
        the hire names it when that ended with all its money given back.
        """
        if self.state is ReservationState.FILLED and ended_contract_id != self.contract_id:
            raise Refused("WRONG_STATE", "a position that is filled cannot be released")
        return replace(self, state=ReservationState.RELEASED, contract_id="", finished_hiring=False)

    def fill(self, contract_id: str) -> Self:
        """Put a contract on the reserved position.

        Raises Refused: RESERVATION_RELEASED, or WRONG_STATE when a contract is there already.
        """
        self.require_not_released()
        if self.state is ReservationState.FILLED:
            raise Refused("WRONG_STATE", "a position that is filled cannot be filled again")
        return replace(self, state=ReservationState.FILLED, contract_id=contract_id)

    def filled_by(self, contract_id: str) -> bool:
        """Whether this very contract fills the position."""
        return self.state is ReservationState.FILLED and self.contract_id == contract_id
