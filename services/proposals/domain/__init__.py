"""The rules of proposals, pure: values, states, transitions, and who sees what."""

from services.proposals.domain.folder_table import (
    AnswerColumn,
    CandidateColumn,
    Columns,
    Condition,
    Missing,
    PlanKey,
    Range,
    TableFilter,
    TableOrder,
    TableRow,
)
from services.proposals.domain.job import NOT_TOLD, Job
from services.proposals.domain.matching import Match, Opening, match, ranked
from services.proposals.domain.note import Note
from services.proposals.domain.plan import AnswerKind, Question, ScreeningPlan
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
    etag_of,
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
from services.proposals.domain.view import Surroundings

__all__ = [
    "NOT_TOLD",
    "Answer",
    "AnswerColumn",
    "AnswerKind",
    "Candidate",
    "CandidateColumn",
    "Columns",
    "Condition",
    "Filter",
    "Given",
    "Interview",
    "Job",
    "Match",
    "Missing",
    "Move",
    "Moved",
    "Note",
    "Offer",
    "Opening",
    "Order",
    "Own",
    "OwnScreening",
    "PlanKey",
    "Profile",
    "Proposal",
    "Question",
    "Range",
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
    "TableFilter",
    "TableOrder",
    "TableRow",
    "Turn",
    "etag_of",
    "match",
    "ranked",
]
