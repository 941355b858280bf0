"""The facts of a HIRED and of an UNDONE hire of which every sentence holds, to be doctored.

Every aggregate is called by its kind: the hire "hire" of the proposal "proposal", and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local.audit import Facts, SeenEvent
from deploy.local.audit.facts import Charge, Intent, Run
from hireflow.common.v1.event_options_pb2 import event
from hireflow.contracts.v1 import contract_events_pb2 as contract_events
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_events_pb2 as hire_events
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_events_pb2 as job_events
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_events_pb2, thread_pb2
from hireflow.proposals.v1 import proposal_events_pb2 as proposal_events
from hireflow.proposals.v1 import proposal_pb2

M = TypeVar("M", bound=Message)

WORKFLOW = "hire/proposal"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
THEN = Timestamp(seconds=1793000000)
CHARGED, HELD, REFUNDED, FEES = (
    contract_pb2.LEDGER_ACCOUNT_CHARGED,
    contract_pb2.LEDGER_ACCOUNT_HELD,
    contract_pb2.LEDGER_ACCOUNT_REFUNDED,
    contract_pb2.LEDGER_ACCOUNT_FEES,
)
FUNDING = {CHARGED: 50495, HELD: -45000, FEES: -5495}
REFUND = {HELD: 45000, FEES: 5495, REFUNDED: -50495}


def changed(message: M, **fields: object) -> M:
    """A copy with other fields."""
    copy = type(message)()
    copy.CopyFrom(message)
    for name in fields:
        copy.ClearField(name)
    copy.MergeFrom(type(message)(**fields))
    return copy


def entry(postings: Mapping[contract_pb2.LedgerAccount.ValueType, int]) -> contract_pb2.LedgerEntry:
    return contract_pb2.LedgerEntry(
        postings=[
            contract_pb2.LedgerPosting(account=account, amount_minor_units=amount)
            for account, amount in postings.items()
        ]
    )


def stream(aggregate: str, messages: Sequence[Message]) -> dict[tuple[str, str], list[SeenEvent]]:
    """An aggregate's events, numbered from 1."""
    return {
        (aggregate, aggregate): [
            SeenEvent(
                id=f"{aggregate}-{version}",
                type=message.DESCRIPTOR.GetOptions().Extensions[event].type,
                aggregate=aggregate,
                aggregate_id=aggregate,
                version=version,
                message=message,
            )
            for version, message in enumerate(messages, start=1)
        ]
    }


def _step(number: int) -> hire_events.HireFacts:
    return hire_events.HireFacts(hire_id="hire", step=number)


def _contract(state: contract_pb2.ContractState.ValueType) -> contract_events.ContractFacts:
    return contract_events.ContractFacts(contract_id="contract", state=state)


PENDING = _contract(contract_pb2.CONTRACT_STATE_PENDING)
ACTIVE = _contract(contract_pb2.CONTRACT_STATE_ACTIVE)
CANCELLED = _contract(contract_pb2.CONTRACT_STATE_CANCELLED)
JOB = job_events.JobFacts(job_id="job", state=job_pb2.JOB_STATE_PUBLISHED)
OPEN = proposal_events.ProposalFacts(review_state=proposal_pb2.REVIEW_STATE_MAYBE)
TAKEN = proposal_events.ProposalFacts(review_state=proposal_pb2.REVIEW_STATE_HIRED)


def hired() -> Facts:
    """One HIRED hire: the job's one position, 504.95 dollars charged, one thread."""
    return Facts(
        read_at=NOW,
        asked=("hire",),
        hires={
            "hire": hire_pb2.Hire(
                hire_id="hire",
                proposal_id="proposal",
                job_id="job",
                organisation_id="organisation",
                state=hire_pb2.HIRE_STATE_HIRED,
                stage=hire_pb2.HIRE_STAGE_ENDED,
                contract_id="contract",
                milestone_id="milestone",
                payment_intent_id="pi_1",
                charge_id="ch_1",
                thread_id="thread",
                workflow_id=WORKFLOW,
                quote=hire_pb2.HireQuote(total_minor_units=50495),
            )
        },
        steps={"hire": [1, 2, 3]},
        runs={"hire": Run("COMPLETED")},
        proposals={
            "proposal": proposal_pb2.Proposal(
                proposal_id="proposal", review_state=proposal_pb2.REVIEW_STATE_HIRED
            )
        },
        jobs={
            "job": job_pb2.Job(
                job_id="job", positions=1, positions_filled=1, state=job_pb2.JOB_STATE_PUBLISHED
            )
        },
        contracts={"proposal": [active_contract()]},
        ledgers={"contract": [entry(FUNDING)]},
        invoices={"contract": [contract_pb2.Invoice(invoice_id="invoice")]},
        threads={"contract": [thread_pb2.Thread(thread_id="thread")]},
        charges={WORKFLOW: [Charge("ch_1", "contract", 50495, 0)]},
        intents={WORKFLOW: [Intent("pi_1", "contract", "succeeded")]},
        events=_hired_events(),
    )


def active_contract() -> contract_pb2.Contract:
    return contract_pb2.Contract(
        contract_id="contract",
        proposal_id="proposal",
        hire_id="hire",
        state=contract_pb2.CONTRACT_STATE_ACTIVE,
        activate_time=THEN,
        milestones=[
            contract_pb2.Milestone(
                milestone_id="milestone",
                state=contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED,
                charge_id="ch_1",
                fund_time=THEN,
            )
        ],
    )


def _hired_events() -> dict[tuple[str, str], list[SeenEvent]]:
    return {
        **stream(
            "hire",
            [
                hire_events.HireStarted(hire=_step(1)),
                hire_events.HireStageChanged(hire=_step(2)),
                hire_events.HireCompleted(hire=_step(3)),
            ],
        ),
        **stream(
            "proposal",
            [
                proposal_events.ProposalSubmitted(proposal=OPEN),
                proposal_events.ProposalReserved(proposal=OPEN, hire_id="hire"),
                proposal_events.ProposalHired(proposal=TAKEN, hire_id="hire"),
            ],
        ),
        **stream(
            "job",
            [
                job_events.JobPublished(job=JOB),
                job_events.JobPositionReserved(job=JOB, hire_id="hire"),
                job_events.JobPositionFilled(job=JOB, hire_id="hire"),
            ],
        ),
        **stream(
            "contract",
            [
                contract_events.ContractCreated(contract=PENDING),
                contract_events.MilestoneFunded(contract=ACTIVE),
                contract_events.ContractActivated(contract=ACTIVE),
                contract_events.InvoiceIssued(contract=ACTIVE, invoice_id="invoice"),
            ],
        ),
        **stream("thread", [thread_events_pb2.ThreadCreated(thread_id="thread")]),
    }


def undone() -> Facts:
    """The same hire, cancelled while the client was to confirm; the intent is canceled."""
    facts = hired()
    proposal, job, hire = facts.proposals["proposal"], facts.jobs["job"], facts.hires["hire"]
    cancelled = contract_pb2.CONTRACT_STATE_CANCELLED
    return replace(
        facts,
        hires={
            "hire": changed(
                hire,
                state=hire_pb2.HIRE_STATE_UNDONE,
                end_reason="HIRE_CANCELLED",
                charge_id="",
                thread_id="",
            )
        },
        runs={"hire": Run("FAILED", "HIRE_CANCELLED")},
        proposals={"proposal": changed(proposal, review_state=proposal_pb2.REVIEW_STATE_MAYBE)},
        jobs={"job": changed(job, positions_filled=0)},
        contracts={
            "proposal": [
                changed(active_contract(), state=cancelled, activate_time=None, milestones=[])
            ]
        },
        ledgers={},
        invoices={},
        threads={},
        charges={},
        intents={WORKFLOW: [Intent("pi_1", "contract", "canceled")]},
        events=_undone_events(),
    )


def _undone_events() -> dict[tuple[str, str], list[SeenEvent]]:
    return {
        **stream(
            "hire",
            [
                hire_events.HireStarted(hire=_step(1)),
                hire_events.HireStageChanged(hire=_step(2)),
                hire_events.HireCancelled(hire=_step(3)),
            ],
        ),
        **stream(
            "proposal",
            [
                proposal_events.ProposalSubmitted(proposal=OPEN),
                proposal_events.ProposalReserved(proposal=OPEN, hire_id="hire"),
                proposal_events.ProposalReleased(proposal=OPEN, hire_id="hire"),
            ],
        ),
        **stream(
            "job",
            [
                job_events.JobPublished(job=JOB),
                job_events.JobPositionReserved(job=JOB, hire_id="hire"),
                job_events.JobPositionReleased(job=JOB, hire_id="hire"),
            ],
        ),
        **stream(
            "contract",
            [
                contract_events.ContractCreated(contract=PENDING),
                contract_events.ContractCancelled(contract=CANCELLED),
            ],
        ),
    }
