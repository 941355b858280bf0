"""Which kinds of caller may do what; a use case takes the type that its caller must have become."""

from typing import NewType

from services.common.auth import (
    Kind,
    Principal,
    require_kind,
    require_service,
    require_trainer,
)
from services.common.errors import Denied

Trainer = NewType("Trainer", Principal)
Member = NewType("Member", Principal)
Reader = NewType("Reader", Principal)
HireWorkflow = NewType("HireWorkflow", Principal)
Interviewer = NewType("Interviewer", Principal)

# Who the services are that hold the interviews and carry out the hires, by their tokens.
INTERVIEWER_ID = "service:interviewer"
WORKER_ID = "service:worker"


def as_trainer(caller: Principal) -> Trainer:
    """Let trainers pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_trainer(caller)
    return Trainer(caller)


def as_member(caller: Principal) -> Member:
    """Let members and agents pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    return Member(caller)


def as_reader(caller: Principal) -> Reader:
    """Let those pass who may see the employer's view. Raises Denied CALLER_NOT_ALLOWED to trainers.

    A trainer reads its own proposals by methods of their own, which cannot show a review.
    """
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    return Reader(caller)


def as_hire_workflow(caller: Principal) -> HireWorkflow:
    """Let the hires' worker pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_service(caller)
    if caller.id != WORKER_ID:
        raise Denied("CALLER_NOT_ALLOWED", f"only {WORKER_ID} carries out hires")
    return HireWorkflow(caller)


def as_interviewer(caller: Principal) -> Interviewer:
    """Let the interviewer service pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_service(caller)
    if not is_interviewer(caller):
        raise Denied("CALLER_NOT_ALLOWED", f"only {INTERVIEWER_ID} records interviews")
    return Interviewer(caller)


def is_interviewer(caller: Principal) -> bool:
    """Tell whether the caller is the interviewer service."""
    return caller.kind is Kind.SERVICE and caller.id == INTERVIEWER_ID
