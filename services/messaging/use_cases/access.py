"""Which kinds of caller may do what; a use case takes the type that its caller must have become."""

from dataclasses import dataclass
from typing import NewType

from services.common.auth import Kind, Principal, require_kind, require_service
from services.common.errors import Denied
from services.messaging.domain import Sender, SenderKind, Thread


@dataclass(frozen=True, slots=True)
class Member:
    """A human member or an agent of one organisation."""

    principal: Principal
    organisation_id: str


Writer = NewType("Writer", Principal)
Reviewer = NewType("Reviewer", Principal)
HireWorkflow = NewType("HireWorkflow", Principal)


def as_member(caller: Principal) -> Member:
    """Let members and agents pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    if caller.organisation_id is None:
        raise Denied("CALLER_NOT_ALLOWED", "the caller belongs to no organisation")
    return Member(caller, caller.organisation_id)


def as_writer(caller: Principal) -> Writer:
    """Let those pass who take part in threads. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.TRAINER)
    return Writer(caller)


def as_reviewer(caller: Principal) -> Reviewer:
    """Let those pass who may look into how messages were edited: an organisation, its operators.

    Raises Denied CALLER_NOT_ALLOWED for trainers: what somebody took back is not told them.
    """
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    return Reviewer(caller)


def as_hire_workflow(caller: Principal) -> HireWorkflow:
    """Let other services pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_service(caller)
    return HireWorkflow(caller)


def sender_of(caller: Principal) -> Sender:
    """Give the caller as the sender of a message."""
    return Sender(SenderKind[caller.kind.name], caller.id)


def reader_of(caller: Principal) -> Sender | None:
    """Give the caller as a reader with marks of their own; operators and services have none."""
    return None if caller.kind in {Kind.OPERATOR, Kind.SERVICE} else sender_of(caller)


def may_read(caller: Principal, thread: Thread) -> bool:
    """Tell whether the caller may know that the thread exists.

    A trainer reads a proposal thread from the moment the employer opened it, even before anything
    is written: opening it is how the employer says that there is something to ask.
    """
    match caller.kind:
        case Kind.EMPLOYER | Kind.AGENT:
            return caller.organisation_id == thread.organisation_id
        case Kind.TRAINER:
            return caller.id in thread.trainer_ids
        case Kind.OPERATOR | Kind.SERVICE:
            return True
