"""Whether a hire could start: the conditions that a quote tells and a start refuses by."""

from dataclasses import dataclass
from enum import StrEnum

from services.common.errors import HireflowError, Refused


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """What matters of a proposal, as proposals tell it now; `hire_id` is empty if none holds it."""

    proposal_id: str
    job_id: str
    organisation_id: str
    trainer_id: str
    withdrawn: bool
    declined: bool
    hired: bool
    hire_id: str


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What matters of a job, as jobs tell it now."""

    job_id: str
    open: bool
    free_positions: int


class Condition(StrEnum):
    """The conditions of a hire, in the order in which people read them."""

    JOB_OPEN = "job_open"
    POSITION_FREE = "position_free"
    PROPOSAL_HIREABLE = "proposal_hireable"
    PAYMENT_METHOD_PRESENT = "payment_method_present"
    MILESTONE_VALID = "milestone_valid"


@dataclass(frozen=True, slots=True)
class Precondition:
    """A condition and how it stands; `reason` is empty where it holds."""

    name: Condition
    reason: str = ""
    description: str = ""

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return not self.reason

    @property
    def error(self) -> HireflowError:
        """The refusal that this condition makes of a start."""
        return Refused(self.reason, self.description)


def of_job(job: JobFacts) -> list[Precondition]:
    """Tell the conditions that a job sets."""
    opened = Precondition(Condition.JOB_OPEN)
    if not job.open:
        told = f"job {job.job_id} takes no hires now: publish or reopen it"
        opened = Precondition(Condition.JOB_OPEN, "JOB_NOT_OPEN", told)
    free = Precondition(Condition.POSITION_FREE)
    if job.free_positions < 1:
        told = f"every position of job {job.job_id} is filled or reserved: add positions"
        free = Precondition(Condition.POSITION_FREE, "NO_POSITION", told)
    return [opened, free]


def of_proposal(proposal: ProposalFacts, *, confirm_declined: bool) -> Precondition:
    """Tell whether a proposal can be hired."""
    name, told = Condition.PROPOSAL_HIREABLE, f"proposal {proposal.proposal_id}"
    if proposal.withdrawn:
        return Precondition(name, "PROPOSAL_WITHDRAWN", f"{told} was withdrawn by its trainer")
    if proposal.hired:
        return Precondition(name, "ALREADY_HIRED", f"{told} is hired already")
    if proposal.hire_id:
        return Precondition(
            name, "HIRE_IN_PROGRESS", f"hire {proposal.hire_id} of {told} is under way"
        )
    if proposal.declined and not confirm_declined:
        return Precondition(
            name, "PROPOSAL_DECLINED", f"{told} is declined: confirm that you hire it all the same"
        )
    return Precondition(name)


def of_payment_method(*, present: bool) -> Precondition:
    """Tell whether there is something to charge."""
    name = Condition.PAYMENT_METHOD_PRESENT
    if present:
        return Precondition(name)
    told = "the organisation has no such payment method: save one, choose another, or confirm the "
    return Precondition(name, "PAYMENT_METHOD_MISSING", f"{told}payment in the client")
