"""The events of proposals, and what the events of jobs and folders do here.

No text of people is in them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.jobs.v1 import folder_events_pb2, job_events_pb2, job_pb2
from hireflow.proposals.v1 import proposal_events_pb2, screening_events_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import Event, event_type
from services.proposals.domain import Job, Proposal, Question, ReviewState, Screening, ScreeningPlan
from services.proposals.use_cases import known_jobs
from services.proposals.wire import state_value

JobEvent: TypeAlias = (
    job_events_pb2.JobCreated
    | job_events_pb2.JobUpdated
    | job_events_pb2.JobPositionReserved
    | job_events_pb2.JobPositionReleased
    | job_events_pb2.JobPositionFilled
    | job_events_pb2.JobHiringFinished
    | job_events_pb2.JobHiringReopened
    | job_events_pb2.JobArchived
)


def submitted(proposal: Proposal) -> Event:
    """Tell that a trainer submitted a proposal."""
    return _event(proposal, proposal_events_pb2.ProposalSubmitted(proposal=_facts(proposal)))


def review_state_changed(proposal: Proposal, before: ReviewState) -> Event:
    """Tell that the employer moved a proposal."""
    message = proposal_events_pb2.ProposalReviewStateChanged(
        proposal=_facts(proposal),
        previous_review_state=state_value(before),
    )
    return _event(proposal, message)


def withdrawn(proposal: Proposal) -> Event:
    """Tell that the trainer took a proposal back."""
    return _event(proposal, proposal_events_pb2.ProposalWithdrawn(proposal=_facts(proposal)))


def reserved(proposal: Proposal, hire_id: str) -> Event:
    """Tell that a hire holds a proposal."""
    message = proposal_events_pb2.ProposalReserved(proposal=_facts(proposal), hire_id=hire_id)
    return _event(proposal, message)


def released(proposal: Proposal, hire_id: str) -> Event:
    """Tell that a hire let a proposal go."""
    message = proposal_events_pb2.ProposalReleased(proposal=_facts(proposal), hire_id=hire_id)
    return _event(proposal, message)


def hired(proposal: Proposal, hire_id: str, contract_id: str) -> Event:
    """Tell that a hire ended well."""
    message = proposal_events_pb2.ProposalHired(
        proposal=_facts(proposal), hire_id=hire_id, contract_id=contract_id
    )
    return _event(proposal, message)


def screening_started(screening: Screening, now: datetime) -> Event:
    """Tell that a trainer began a screening, or went over to a changed plan."""
    message = screening_events_pb2.ScreeningStarted(screening=_screening_facts(screening))
    return Event(message, aggregate_id=screening.screening_id, time=now)


def screening_completed(screening: Screening, now: datetime) -> Event:
    """Tell that a screening's answers are final and its interview is recorded."""
    message = screening_events_pb2.ScreeningCompleted(
        screening=_screening_facts(screening),
        interview_score=screening.interview.score if screening.interview else 0,
    )
    return Event(message, aggregate_id=screening.screening_id, time=now)


async def on_job(kind: Callable[[], JobEvent], tx: AsyncConnection, event: Received) -> None:
    """Keep the job as the event tells it: every event of a job carries the same facts."""
    await known_jobs.learn_job(tx, _job(event.message(kind).job))


async def on_published(tx: AsyncConnection, event: Received) -> None:
    """Keep the job, and when it was published: its facts do not say so."""
    job = _job(event.message(job_events_pb2.JobPublished).job)
    await known_jobs.learn_job(tx, replace(job, publish_time=event.time))


async def on_trainers_invited(tx: AsyncConnection, event: Received) -> None:
    """Let the trainers see the job, whatever its visibility."""
    message = event.message(job_events_pb2.JobTrainersInvited)
    await known_jobs.learn_job(tx, _job(message.job))
    await known_jobs.learn_invitations(tx, message.job.job_id, message.trainer_ids)


async def on_invitation_revoked(tx: AsyncConnection, event: Received) -> None:
    """Hide the job from the trainer again, unless it is for all."""
    message = event.message(job_events_pb2.JobInvitationRevoked)
    await known_jobs.learn_job(tx, _job(message.job))
    await known_jobs.learn_revocation(tx, message.job.job_id, message.trainer_id)


async def on_folder_changed(tx: AsyncConnection, event: Received) -> None:
    """Keep whose a folder is, as long as it is there."""
    folder = event.message(folder_events_pb2.FolderChanged)
    await known_jobs.learn_folder(
        tx, folder.folder_id, folder.organisation_id, deleted=folder.deleted
    )


_JOB_EVENTS = (
    job_events_pb2.JobCreated,
    job_events_pb2.JobUpdated,
    job_events_pb2.JobPositionReserved,
    job_events_pb2.JobPositionReleased,
    job_events_pb2.JobPositionFilled,
    job_events_pb2.JobHiringFinished,
    job_events_pb2.JobHiringReopened,
    job_events_pb2.JobArchived,
)

JOBS = Subscription(
    consumer="proposals-jobs",
    subjects=("hireflow.jobs.v1.job.*",),
    handlers={
        **{event_type(kind): partial(on_job, kind) for kind in _JOB_EVENTS},
        event_type(job_events_pb2.JobPublished): on_published,
        event_type(job_events_pb2.JobTrainersInvited): on_trainers_invited,
        event_type(job_events_pb2.JobInvitationRevoked): on_invitation_revoked,
    },
    read_model=("job", "invitation"),
)

FOLDERS = Subscription(
    consumer="proposals-folders",
    subjects=("hireflow.jobs.v1.folder.*",),
    handlers={event_type(folder_events_pb2.FolderChanged): on_folder_changed},
    read_model=("folder",),
)


def _job(facts: job_events_pb2.JobFacts) -> Job:
    return Job(
        job_id=facts.job_id,
        organisation_id=facts.organisation_id,
        state=_word(job_pb2.JobState.DESCRIPTOR, facts.state, "JOB_STATE_"),
        visibility=_word(job_pb2.JobVisibility.DESCRIPTOR, facts.visibility, "JOB_VISIBILITY_"),
        required_languages=tuple(facts.required_languages),
        required_skills=tuple(facts.required_skills),
        required_countries=tuple(facts.required_countries),
        folder_id=facts.folder_id,
        plan=_plan(facts.screening_plan) if facts.HasField("screening_plan") else None,
    )


def _plan(facts: job_events_pb2.ScreeningPlanFacts) -> ScreeningPlan:
    types = job_pb2.ScreeningFieldType.DESCRIPTOR
    questions = (
        Question(
            key=field.key,
            label=field.label,
            description=field.description,
            required=field.required,
            type=_word(types, field.type, "SCREENING_FIELD_TYPE_"),
            options=tuple(field.options),
        )
        for field in facts.fields
    )
    return ScreeningPlan(facts.version, tuple(questions))


def _word(kind: EnumDescriptor, number: int, prefix: str) -> str:
    """Give the word of jobs for a value, or its number where it is new to us."""
    known = kind.values_by_number.get(number)
    return known.name.removeprefix(prefix) if known else str(number)


def _event(proposal: Proposal, message: Message) -> Event:
    return Event(message, aggregate_id=proposal.proposal_id, time=proposal.update_time)


def _facts(proposal: Proposal) -> proposal_events_pb2.ProposalFacts:
    return proposal_events_pb2.ProposalFacts(
        proposal_id=proposal.proposal_id,
        job_id=proposal.job_id,
        organisation_id=proposal.organisation_id,
        trainer_id=proposal.candidate.trainer_id,
        review_state=state_value(proposal.review_state),
        withdrawn=proposal.withdrawn,
    )


def _screening_facts(screening: Screening) -> screening_events_pb2.ScreeningFacts:
    return screening_events_pb2.ScreeningFacts(
        screening_id=screening.screening_id,
        job_id=screening.job_id,
        organisation_id=screening.organisation_id,
        trainer_id=screening.candidate.trainer_id,
        plan_version=screening.plan.version,
    )
