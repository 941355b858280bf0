"""The rules of jobs, pure: values, states, transitions."""

from services.jobs.domain.job import Job, State, Verb
from services.jobs.domain.posting import (
    Pay,
    PayKind,
    Posting,
    Settings,
    Visibility,
    require_no_screening_plan,
)
from services.jobs.domain.reservation import Reservation, ReservationState

__all__ = [
    "Job",
    "Pay",
    "PayKind",
    "Posting",
    "Reservation",
    "ReservationState",
    "Settings",
    "State",
    "Verb",
    "Visibility",
    "require_no_screening_plan",
]
