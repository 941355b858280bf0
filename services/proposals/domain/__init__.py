"""The rules of proposals, pure: values, states, transitions, and who sees what."""

from services.proposals.domain.job import Job
from services.proposals.domain.matching import Match, match
from services.proposals.domain.plan import Question, ScreeningPlan
from services.proposals.domain.profile import Candidate, Profile
from services.proposals.domain.proposal import (
    Offer,
    Order,
    Own,
    Proposal,
    RateUnit,
    ReviewState,
    Status,
)
from services.proposals.domain.reservation import Reservation, ReservationState

__all__ = [
    "Candidate",
    "Job",
    "Match",
    "Offer",
    "Order",
    "Own",
    "Profile",
    "Proposal",
    "Question",
    "RateUnit",
    "Reservation",
    "ReservationState",
    "ReviewState",
    "ScreeningPlan",
    "Status",
    "match",
]
