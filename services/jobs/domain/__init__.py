"""The rules of jobs, pure: values, states, transitions."""

from services.jobs.domain.folder import Folder, Label
from services.jobs.domain.job import Job, State, Verb
from services.jobs.domain.plan import FieldType, ScreeningField, ScreeningPlan
from services.jobs.domain.posting import Pay, PayKind, Posting, Settings, Visibility
from services.jobs.domain.reservation import Reservation, ReservationState
from services.jobs.domain.work import Ties

__all__ = [
    "FieldType",
    "Folder",
    "Job",
    "Label",
    "Pay",
    "PayKind",
    "Posting",
    "Reservation",
    "ReservationState",
    "ScreeningField",
    "ScreeningPlan",
    "Settings",
    "State",
    "Ties",
    "Verb",
    "Visibility",
]
