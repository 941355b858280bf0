"""Which kinds of caller may do what; a use case takes the type that its caller must have become."""

from dataclasses import dataclass
from typing import NewType

from services.common.auth import Kind, Principal, require_kind, require_reader, require_service
from services.common.errors import Denied
from services.jobs.domain import Job


@dataclass(frozen=True, slots=True)
class Member:
    """A human member or an agent of one organisation: sees and changes only its jobs."""

    principal: Principal
    organisation_id: str


Reader = NewType("Reader", Principal)
InstructionsReader = NewType("InstructionsReader", Principal)
HireWorkflow = NewType("HireWorkflow", Principal)


def as_member(caller: Principal) -> Member:
    """Let members and agents pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT)
    if caller.organisation_id is None:
        raise Denied("CALLER_NOT_ALLOWED", "the caller belongs to no organisation")
    return Member(caller, caller.organisation_id)


def as_hire_workflow(caller: Principal) -> HireWorkflow:
    """Let other services pass. Raises Denied CALLER_NOT_ALLOWED for all others."""
    require_service(caller)
    return HireWorkflow(caller)


def as_reader(caller: Principal) -> Reader:
    """Let those pass who may list jobs. Raises Denied CALLER_NOT_ALLOWED for trainers."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.OPERATOR, Kind.SERVICE)
    return Reader(caller)


def as_instructions_reader(caller: Principal) -> InstructionsReader:
    """Let those pass who may read instructions. Raises Denied CALLER_NOT_ALLOWED for services."""
    require_kind(caller, Kind.EMPLOYER, Kind.AGENT, Kind.TRAINER, Kind.OPERATOR)
    return InstructionsReader(caller)


def require_own_job(reader: Reader, job: Job) -> None:
    """Raise NotFound where a member or agent asks for another organisation's job."""
    require_reader(reader, job.organisation_id, "job", job.job_id)
