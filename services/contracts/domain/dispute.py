"""A dispute of a charge as the workflow of late facts tells it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from services.common.errors import Refused


class DisputeState(StrEnum):
    """How a dispute stands."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Dispute:
    """What the employer's bank took of a charge, in minor units, and how that stands."""

    dispute_id: str
    charge_id: str
    amount: int
    currency: str
    state: DisputeState

    @property
    def opened(self) -> Self:
        """The dispute as it began."""
        return replace(self, state=DisputeState.OPEN)

    def closes(self, known: "Dispute") -> bool:
        """Tell whether this decides a known dispute; an outdated or repeated word does not.

        Raises:
            Refused: WRONG_STATE, it was decided otherwise, or is one of another charge or amount.

        """
        if self.opened != known.opened:
            raise Refused("WRONG_STATE", f"dispute {self.dispute_id} is known as another one")
        if known.state is DisputeState.OPEN:
            return self.state is not DisputeState.OPEN
        if self.state not in {DisputeState.OPEN, known.state}:
            raise Refused("WRONG_STATE", f"dispute {self.dispute_id} is {known.state} already")
        return False


def together(states: Collection[DisputeState]) -> DisputeState:
    """Tell how all disputes of one charge stand: OPEN while one is, then LOST if one was."""
    undecided_first = (DisputeState.OPEN, DisputeState.LOST, DisputeState.WON)
    return next(state for state in undecided_first if state in states)
