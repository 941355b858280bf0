"""Tells a finished hire back sentence by sentence: the checker's, and what the people in it see.

Nothing here asks our tables: the services answer over gRPC, Stripe over HTTP, the bus from its
stream. A finding is a sentence; an empty list means that all of it held.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from deploy.local.audit import Facts, SeenEvent, Sources, audit, read_facts
from deploy.local.data_dir import DataDir
from deploy.local.journey import CATCH_UP_SECONDS, Journey
from deploy.local.proof_events import unfinished
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2

EXPECTED_EVENTS = {
    "hireflow.jobs.v1.job.created",
    "hireflow.jobs.v1.job.published",
    "hireflow.jobs.v1.job.position_reserved",
    "hireflow.jobs.v1.job.position_filled",
    "hireflow.proposals.v1.proposal.submitted",
    "hireflow.proposals.v1.proposal.reserved",
    "hireflow.proposals.v1.proposal.hired",
    "hireflow.hiring.v1.hire.started",
    "hireflow.hiring.v1.hire.completed",
    "hireflow.contracts.v1.contract.created",
    "hireflow.contracts.v1.milestone.created",
    "hireflow.contracts.v1.milestone.funded",
    "hireflow.contracts.v1.contract.activated",
    "hireflow.contracts.v1.invoice.issued",
    "hireflow.messaging.v1.thread.created",
    "hireflow.messaging.v1.message.sent",
}


@dataclass
class Proof:
    """What was read, and the sentences that hold and that do not."""

    hire: hire_pb2.Hire
    contract: contract_pb2.Contract
    charges: int
    charged: int
    events: Sequence[SeenEvent]
    held: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def expect(self, condition: object, sentence: str) -> None:
        """Note a sentence as held or as a finding."""
        (self.held if condition else self.findings).append(sentence)


async def prove(
    journey: Journey,
    sources: Sources,
    data: DataDir,
    hire_id: str,
    *,
    job_state: "job_pb2.JobState.ValueType" = job_pb2.JOB_STATE_PUBLISHED,
    also: Collection[str] = (),
) -> Proof:
    """Read a HIRED hire back from every service, from Stripe and from the event stream.

    Args:
        journey: who hired whom, for the only proposal of a job.
        sources: whom the checker asks.
        data: the directory of the stack that it happened on.
        hire_id: the hire.
        job_state: what the job must be by now.
        also: types of events that must have been told beside those of any hire.

    """
    findings = await audit(sources, [hire_id])
    expected = EXPECTED_EVENTS.union(also)
    facts = await _when_all_is_told(sources, hire_id, expected)
    hire = facts.hires[hire_id]
    charges = facts.charges.get(hire.workflow_id, ())
    contract = next(
        c for c in facts.contracts[hire.proposal_id] if c.contract_id == hire.contract_id
    )
    proof = Proof(
        hire, contract, len(charges), sum(charge.amount for charge in charges), _own(facts, hire_id)
    )
    proof.findings += [f"{finding.kind}: {finding.told}" for finding in findings]
    proof.expect(hire.state == hire_pb2.HIRE_STATE_HIRED, "hiring: the hire ended HIRED")
    proof.expect(
        not findings,
        "the checker: one charge, contract, funded milestone, thread and filled position;"
        " ledger = Stripe; events = rows, without a gap; workflow = row",
    )
    _prove_money(proof, facts)
    await _prove_people(proof, journey)
    missing = _missing(facts, hire_id, expected)
    proof.expect(not missing, f"events: all seen{f', but not {missing}' if missing else ''}")
    left = await unfinished(data, sources.nats_url)
    told = f", but {'; '.join(left)}" if left else ""
    proof.expect(not left, f"events: every consumer is through, nothing given up or held{told}")
    await _prove_job(proof, journey, job_state)
    return proof


async def _when_all_is_told(sources: Sources, hire_id: str, expected: AbstractSet[str]) -> Facts:
    """Read the facts once every expected event is in the stream; bounded."""
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    while True:
        facts = await read_facts(sources, [hire_id])
        if not _missing(facts, hire_id, expected) or asyncio.get_running_loop().time() > deadline:
            return facts
        await asyncio.sleep(0.05)  # the relay publishes after the commit


def _missing(facts: Facts, hire_id: str, expected: AbstractSet[str]) -> AbstractSet[str]:
    return expected - {event.type for event in _own(facts, hire_id)}


def _own(facts: Facts, hire_id: str) -> list[SeenEvent]:
    """Give the events of what the hire is about, each aggregate's in order: no other hire's."""
    hire = facts.hires[hire_id]
    proposal = facts.proposals.get(hire.proposal_id, proposal_pb2.Proposal())
    about = {hire_id, hire.proposal_id, hire.job_id, hire.contract_id, hire.thread_id}
    about |= {hire.milestone_id, proposal.screening_id}
    about |= {invoice.invoice_id for invoice in facts.invoices.get(hire.contract_id, ())}
    seen = [
        event
        for (_, aggregate_id), events in facts.events.items()
        for event in events
        if aggregate_id in about
    ]
    return sorted(seen, key=lambda event: (event.aggregate, event.aggregate_id, event.version))


def _prove_money(proof: Proof, facts: Facts) -> None:
    hire, quote = proof.hire, proof.hire.quote
    balances: Counter[int] = Counter()
    for entry in facts.ledgers[hire.contract_id]:
        for posting in entry.postings:
            balances[posting.account] += posting.amount_minor_units
    proof.expect(
        balances[contract_pb2.LEDGER_ACCOUNT_CHARGED] == quote.total_minor_units
        and balances[contract_pb2.LEDGER_ACCOUNT_HELD] == -quote.amount_minor_units
        and balances[contract_pb2.LEDGER_ACCOUNT_FEES]
        == -(quote.marketplace_fee_minor_units + quote.contract_fee_minor_units),
        "contracts: the ledger has the quote: charged = held + fees",
    )
    invoices = facts.invoices[hire.contract_id]
    proof.expect(
        [invoice.total_minor_units for invoice in invoices] == [quote.total_minor_units],
        "contracts: one invoice over the total",
    )
    proof.expect(proof.charged == quote.total_minor_units, "stripe: charged is the quote's total")


async def _prove_people(proof: Proof, journey: Journey) -> None:
    services = journey.services
    own = await journey.trainer.call(
        services.proposals.GetOwnProposal,
        proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id),
    )
    proof.expect(
        own.proposal.status == proposal_pb2.PROPOSAL_STATUS_HIRED,
        "proposals: the trainer sees HIRED",
    )
    threads = await journey.trainer.call(
        services.messaging.ListThreads, thread_pb2.ListThreadsRequest(job_id=journey.job.job_id)
    )
    jobs = [t for t in threads.threads if t.kind == thread_pb2.THREAD_KIND_JOB]
    proof.expect(
        [t.thread_id for t in jobs] == [proof.hire.thread_id],
        "messaging: the trainer is in the one job thread",
    )
    messages = await journey.trainer.call(
        services.messaging.ListMessages,
        thread_pb2.ListMessagesRequest(
            thread_id=proof.hire.thread_id, order=thread_pb2.MESSAGE_ORDER_OLDEST_FIRST
        ),
    )
    proof.expect(
        [m.kind for m in messages.messages][:1] == [thread_pb2.MESSAGE_KIND_SYSTEM],
        "messaging: it begins with a system message",
    )


async def _prove_job(proof: Proof, journey: Journey, state: "job_pb2.JobState.ValueType") -> None:
    read = await journey.employer.call(
        journey.services.jobs.GetJob, job_pb2.GetJobRequest(job_id=journey.job.job_id)
    )
    name = job_pb2.JobState.Name(state).removeprefix("JOB_STATE_")
    proof.expect(read.job.state == state, f"jobs: the job is {name}")
    proof.expect(read.job.positions_filled == 1, "jobs: one position is filled")
    proof.expect(read.job.proposals == 1, "jobs: the count of proposals, kept by events, is 1")
