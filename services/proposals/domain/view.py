"""What stands around a proposal on the employer's screen."""

from dataclasses import dataclass
from datetime import datetime

from services.proposals.domain.profile import Profile
from services.proposals.domain.proposal import Proposal
from services.proposals.domain.reservation import Reservation


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A proposal with what one read finds beside it.

    `thread_id` is empty without a thread; `hire` is the last that reserved the proposal, if any.
    """

    proposal: Proposal
    profile: Profile
    thread_id: str
    hire: Reservation | None
    reserve_time: datetime | None
