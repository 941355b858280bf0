"""Reservations and positions: what is held must be held for a hire that runs."""

from collections.abc import Iterator

from deploy.local.audit.facts import Facts
from deploy.local.audit.findings import Kind
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_events_pb2


def nothing_is_held_for_nobody(facts: Facts, hire: hire_pb2.Hire) -> Iterator[tuple[Kind, str]]:
    """Tell of an ended hire's reservation, and where free = positions - filled - reserved fails.

    Who holds which position is counted from the job's events, beside the job's own numbers.
    """
    ended = hire.state != hire_pb2.HIRE_STATE_RUNNING
    if ended and facts.proposals[hire.proposal_id].hire_id == hire.hire_id:
        yield Kind.RESERVATION, f"it ended and still reserves proposal {hire.proposal_id}"
    job = facts.jobs[hire.job_id]
    reserved, filled = _holders(facts, job.job_id)
    if ended and hire.hire_id in reserved:
        yield Kind.RESERVATION, f"it ended and still reserves a position of job {job.job_id}"
    hired = hire.state == hire_pb2.HIRE_STATE_HIRED
    if filled.count(hire.hire_id) > 1:
        yield Kind.DOUBLED, f"it fills {filled.count(hire.hire_id)} positions of job {job.job_id}"
    elif ended and hired != (hire.hire_id in filled):
        told = "HIRED and fills no position" if hired else "UNDONE and fills a position"
        yield Kind.RESERVATION, f"it is {told} of job {job.job_id}"
    told_by_events = (len(reserved), len(filled))
    told_by_job = (job.positions_reserved, job.positions_filled)
    if told_by_events != told_by_job:
        yield (
            Kind.RESERVATION,
            f"job {job.job_id} has reserved and filled {told_by_job}, its events {told_by_events}",
        )
    if job.positions_reserved + job.positions_filled > job.positions:
        yield Kind.DOUBLED, f"job {job.job_id} gave away more than its {job.positions} positions"


def _holders(facts: Facts, job_id: str) -> tuple[set[str], list[str]]:
    """Name the hires that reserve and those that filled a position, from the job's events."""
    reserved: set[str] = set()
    filled: list[str] = []
    for event in sorted(facts.events_of("job", job_id), key=lambda each: each.version):
        match event.message:
            case job_events_pb2.JobPositionReserved(hire_id=hire_id):
                reserved.add(hire_id)
            case job_events_pb2.JobPositionReleased(hire_id=hire_id):
                reserved.discard(hire_id)
            case job_events_pb2.JobPositionFilled(hire_id=hire_id):
                reserved.discard(hire_id)
                filled.append(hire_id)
            case _:
                pass
    return reserved, filled
