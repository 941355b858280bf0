"""The work on a job, as contracts tell of it, and what of it keeps a job from the archive."""

from dataclasses import dataclass

# The words of contracts, not enums of ours: an event with a new one must be kept, and what is not
# known here is not over.
ACTIVE = "ACTIVE"
OVER = frozenset({"ENDED", "CANCELLED"})
RESOLVED = frozenset({"PAID", "CANCELLED", "REFUNDED"})


@dataclass(frozen=True, slots=True)
class Ties:
    """What is not over: hires, contracts, milestones, and positions whose contract is not heard of.

    A filled position whose contract has told nothing yet counts: it is about to.
    """

    hires: int = 0
    contracts: int = 0
    milestones: int = 0
    unheard: int = 0

    def __bool__(self) -> bool:
        return any((self.hires, self.contracts, self.milestones, self.unheard))

    def __str__(self) -> str:
        return (
            f"{self.hires} running hires, {self.contracts + self.unheard} contracts and "
            f"{self.milestones} milestones of it are not over"
        )
