"""The events of jobs, and what the events of proposals and contracts do here.

Of what people wrote, the questions of a screening plan are in them, with their options, for
proposals check the answers by them; no prompt, title, description or instructions.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.contracts.v1 import contract_events_pb2, contract_pb2
from hireflow.jobs.v1 import folder_events_pb2, job_events_pb2, job_pb2
from hireflow.proposals.v1 import proposal_events_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import Event, event_type
from services.jobs.domain import Folder, Job, Reservation, ScreeningPlan
from services.jobs.use_cases import known_work, proposal_counts
from services.jobs.wire import plan_fields

ContractEvent: TypeAlias = (
    contract_events_pb2.ContractCreated
    | contract_events_pb2.ContractActivated
    | contract_events_pb2.ContractCancelled
    | contract_events_pb2.ContractEnded
)
MilestoneEvent: TypeAlias = (
    contract_events_pb2.ContractAmended
    | contract_events_pb2.MilestoneCreated
    | contract_events_pb2.MilestoneFunded
    | contract_events_pb2.MilestoneRefunded
    | contract_events_pb2.MilestoneCancelled
    | contract_events_pb2.RefundFailed
    | contract_events_pb2.MilestoneDisputed
    | contract_events_pb2.DisputeClosed
)


_CONTRACT_EVENTS: tuple[type[ContractEvent], ...] = (
    contract_events_pb2.ContractCreated,
    contract_events_pb2.ContractActivated,
    contract_events_pb2.ContractCancelled,
    contract_events_pb2.ContractEnded,
)
_MILESTONE_EVENTS: tuple[type[MilestoneEvent], ...] = (
    contract_events_pb2.ContractAmended,
    contract_events_pb2.MilestoneCreated,
    contract_events_pb2.MilestoneFunded,
    contract_events_pb2.MilestoneRefunded,
    contract_events_pb2.MilestoneCancelled,
    contract_events_pb2.RefundFailed,
    contract_events_pb2.MilestoneDisputed,
    contract_events_pb2.DisputeClosed,
)


def created(job: Job) -> Event:
    """Tell that a draft was created."""
    return _event(job, job_events_pb2.JobCreated(job=_facts(job)))


def published(job: Job) -> Event:
    """Tell that a draft was opened for proposals."""
    return _event(job, job_events_pb2.JobPublished(job=_facts(job)))


def updated(job: Job, changed_fields: Sequence[str]) -> Event:
    """Tell which fields of a job changed."""
    return _event(job, job_events_pb2.JobUpdated(job=_facts(job), changed_fields=changed_fields))


def position_reserved(job: Job, hire_id: str) -> Event:
    """Tell that a hire holds a position."""
    return _event(job, job_events_pb2.JobPositionReserved(job=_facts(job), hire_id=hire_id))


def position_released(job: Job, hire_id: str) -> Event:
    """Tell that a hire gave its position back."""
    return _event(job, job_events_pb2.JobPositionReleased(job=_facts(job), hire_id=hire_id))


def position_filled(job: Job, filled: Reservation) -> Event:
    """Tell which contract fills a hire's position."""
    message = job_events_pb2.JobPositionFilled(
        job=_facts(job), hire_id=filled.hire_id, contract_id=filled.contract_id
    )
    return _event(job, message)


def hiring_finished(job: Job) -> Event:
    """Tell that no new proposals are taken."""
    return _event(job, job_events_pb2.JobHiringFinished(job=_facts(job)))


def hiring_reopened(job: Job) -> Event:
    """Tell that proposals are taken again."""
    return _event(job, job_events_pb2.JobHiringReopened(job=_facts(job)))


def archived(job: Job) -> Event:
    """Tell that the job was put away for ever."""
    return _event(job, job_events_pb2.JobArchived(job=_facts(job)))


def trainers_invited(job: Job, trainer_ids: Sequence[str]) -> Event:
    """Tell who is invited newly."""
    message = job_events_pb2.JobTrainersInvited(job=_facts(job), trainer_ids=trainer_ids)
    return _event(job, message)


def invitation_revoked(job: Job, trainer_id: str) -> Event:
    """Tell who is invited no more."""
    message = job_events_pb2.JobInvitationRevoked(job=_facts(job), trainer_id=trainer_id)
    return _event(job, message)


def instructions_written(job: Job, version: int, now: datetime) -> Event:
    """Tell that a version of the instructions was written."""
    message = job_events_pb2.JobInstructionsWritten(job=_facts(job), version=version)
    return Event(message, aggregate_id=job.job_id, time=now)


def folder_changed(folder: Folder, *, deleted: bool = False) -> Event:
    """Tell that a folder was made, changed or deleted."""
    message = folder_events_pb2.FolderChanged(
        folder_id=folder.folder_id, organisation_id=folder.organisation_id, deleted=deleted
    )
    return Event(message, aggregate_id=folder.folder_id, time=folder.update_time)


async def on_proposal_submitted(tx: AsyncConnection, event: Received) -> None:
    """Count the new proposal in its job."""
    proposal = event.message(proposal_events_pb2.ProposalSubmitted).proposal
    await proposal_counts.count_proposal(tx, proposal.job_id, proposal.proposal_id, live=True)


async def on_proposal_withdrawn(tx: AsyncConnection, event: Received) -> None:
    """Count the proposal no more."""
    proposal = event.message(proposal_events_pb2.ProposalWithdrawn).proposal
    await proposal_counts.count_proposal(tx, proposal.job_id, proposal.proposal_id, live=False)


async def on_contract(
    kind: Callable[[], ContractEvent], tx: AsyncConnection, event: Received
) -> None:
    """Keep how the contract stands."""
    await _learn_contract(tx, event.message(kind).contract)


async def on_milestone(
    kind: Callable[[], MilestoneEvent], tx: AsyncConnection, event: Received
) -> None:
    """Keep how the contract and its milestone stand."""
    told = event.message(kind)
    await _learn_contract(tx, told.contract)
    state = contract_pb2.MilestoneState.Name(told.milestone.state)
    await known_work.learn_milestone(
        tx,
        told.contract.contract_id,
        told.milestone.milestone_id,
        state.removeprefix("MILESTONE_STATE_"),
    )


async def _learn_contract(tx: AsyncConnection, contract: contract_events_pb2.ContractFacts) -> None:
    state = contract_pb2.ContractState.Name(contract.state)
    await known_work.learn_contract(
        tx,
        contract.contract_id,
        job_id=contract.job_id,
        trainer_id=contract.trainer_id,
        state=state.removeprefix("CONTRACT_STATE_"),
    )


PROPOSALS = Subscription(
    consumer="jobs-proposals",
    subjects=("hireflow.proposals.v1.proposal.*",),
    handlers={
        event_type(proposal_events_pb2.ProposalSubmitted): on_proposal_submitted,
        event_type(proposal_events_pb2.ProposalWithdrawn): on_proposal_withdrawn,
    },
    read_model=("live_proposal", "proposal_count"),
)


CONTRACTS = Subscription(
    consumer="jobs-contracts",
    subjects=("hireflow.contracts.v1.*.*",),
    handlers={event_type(kind): partial(on_contract, kind) for kind in _CONTRACT_EVENTS}
    | {event_type(kind): partial(on_milestone, kind) for kind in _MILESTONE_EVENTS},
    read_model=("contract", "milestone"),
)


def _event(job: Job, message: Message) -> Event:
    return Event(message, aggregate_id=job.job_id, time=job.update_time)


def _facts(job: Job) -> job_events_pb2.JobFacts:
    posting = job.posting
    visibility = f"JOB_VISIBILITY_{posting.settings.visibility}"
    return job_events_pb2.JobFacts(
        job_id=job.job_id,
        organisation_id=job.organisation_id,
        state=job_pb2.JobState.Value(f"JOB_STATE_{job.state}"),
        visibility=job_pb2.JobVisibility.Value(visibility),
        required_languages=posting.required_languages,
        required_skills=posting.required_skills,
        required_countries=posting.required_countries,
        currency_code=posting.pay.currency,
        positions=posting.positions,
        positions_filled=job.filled,
        positions_reserved=job.reserved,
        add_hires_to_channels=posting.settings.add_hires_to_channels,
        folder_id=job.folder_id,
        screening_plan=_plan_facts(job.plan_version, posting.screening_plan),
    )


def _plan_facts(version: int, plan: ScreeningPlan) -> job_events_pb2.ScreeningPlanFacts | None:
    if not plan:
        return None
    return job_events_pb2.ScreeningPlanFacts(version=version, fields=plan_fields(plan))
