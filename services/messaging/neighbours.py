"""What the events of jobs and contracts do here: they decide who is in a job's channels.

What is known of jobs can be rebuilt. What is known of contracts cannot: joining and leaving are
what its events did to channels that people have changed since, and hearing them again would take
in whom an employer took out.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from hireflow.contracts.v1 import contract_events_pb2, contract_pb2
from hireflow.jobs.v1 import job_events_pb2
from services.common.inbox import Received, Subscription
from services.common.outbox import event_type
from services.messaging.domain import Job, Work
from services.messaging.use_cases import channels

JobEvent: TypeAlias = (
    job_events_pb2.JobCreated | job_events_pb2.JobPublished | job_events_pb2.JobUpdated
)
ContractEvent: TypeAlias = (
    contract_events_pb2.ContractCreated
    | contract_events_pb2.ContractActivated
    | contract_events_pb2.ContractCancelled
    | contract_events_pb2.ContractEnded
)


async def on_job(kind: Callable[[], JobEvent], tx: AsyncConnection, event: Received) -> None:
    """Keep whose a job is and whether its hires join its channels; these events change that."""
    facts = event.message(kind).job
    await channels.learn_job(
        tx, Job(facts.job_id, facts.organisation_id, facts.add_hires_to_channels)
    )


async def on_contract(
    kind: Callable[[], ContractEvent], tx: AsyncConnection, event: Received
) -> None:
    """Let the trainer join or leave the job's channels, as the contract begins or ends."""
    facts = event.message(kind).contract
    work = Work(
        contract_id=facts.contract_id,
        job_id=facts.job_id,
        organisation_id=facts.organisation_id,
        trainer_id=facts.trainer_id,
        active=facts.state == contract_pb2.CONTRACT_STATE_ACTIVE,
    )
    await channels.learn_work(tx, work, event.time)


_JOB_EVENTS = (
    job_events_pb2.JobCreated,
    job_events_pb2.JobPublished,
    job_events_pb2.JobUpdated,
)
_CONTRACT_EVENTS = (
    contract_events_pb2.ContractCreated,
    contract_events_pb2.ContractActivated,
    contract_events_pb2.ContractCancelled,
    contract_events_pb2.ContractEnded,
)

JOBS = Subscription(
    consumer="messaging-jobs",
    subjects=("hireflow.jobs.v1.job.*",),
    handlers={event_type(kind): partial(on_job, kind) for kind in _JOB_EVENTS},
    read_model=("job",),
)

CONTRACTS = Subscription(
    consumer="messaging-contracts",
    subjects=("hireflow.contracts.v1.*.*",),
    handlers={event_type(kind): partial(on_contract, kind) for kind in _CONTRACT_EVENTS},
)
