"""What stands around a proposal on the employer's screen."""

from dataclasses import dataclass
from datetime import datetime

from services.proposals.domain.profile import Profile
from services.proposals.domain.proposal import Proposal


@dataclass(frozen=True, slots=True)
class HireOfProposal:
    """A hire as its events told it; the states are named as the protos of hiring name them."""

    hire_id: str
    proposal_id: str
    state: str
    stage: str
    waiting_for: str
    wait_deadline: datetime | None
    contract_id: str
    start_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A proposal with what one read finds beside it; `thread_id` is empty without a thread."""

    proposal: Proposal
    profile: Profile
    thread_id: str
    hire: HireOfProposal | None
