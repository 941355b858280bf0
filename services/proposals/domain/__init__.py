"""The rules of proposals, pure: values, states, transitions, and who sees what."""

from services.proposals.domain.job import Job
from services.proposals.domain.matching import Match, match
from services.proposals.domain.note import Note
from services.proposals.domain.plan import Question, ScreeningPlan
from services.proposals.domain.profile import Candidate, Profile
from services.proposals.domain.proposal import (
    Filter,
    Move,
    Moved,
    Offer,
    Order,
    Own,
    Proposal,
    RateRange,
    RateUnit,
    ReviewState,
    Signals,
    Status,
)
from services.proposals.domain.reservation import Reservation, ReservationState
from services.proposals.domain.screening import (
    Answer,
    Given,
    Interview,
    OwnScreening,
    Screening,
    Speaker,
    Turn,
)
from services.proposals.domain.view import HireOfProposal, Surroundings

__all__ = [
    "Answer",
    "Candidate",
    "Filter",
    "Given",
    "HireOfProposal",
    "Interview",
    "Job",
    "Match",
    "Move",
    "Moved",
    "Note",
    "Offer",
    "Order",
    "Own",
    "OwnScreening",
    "Profile",
    "Proposal",
    "Question",
    "RateRange",
    "RateUnit",
    "Reservation",
    "ReservationState",
    "ReviewState",
    "Screening",
    "ScreeningPlan",
    "Signals",
    "Speaker",
    "Status",
    "Surroundings",
    "Turn",
    "match",
]
