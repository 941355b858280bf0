"""Reads a finished hire back from everybody who knows of it, and says what does not hold.

Nothing here asks our tables: the services answer over gRPC, Stripe over HTTP, the bus from its
stream. A finding is a sentence; an empty list means that all of it held.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import httpx
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deploy.local.journey import CATCH_UP_SECONDS, Caller, Journey
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.messaging.v1 import thread_pb2
from hireflow.proposals.v1 import proposal_pb2

STREAM = "HIREFLOW"
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


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event as its headers tell it."""

    type: str
    aggregate: str
    aggregate_id: str
    version: int


@dataclass
class Proof:
    """What was read, and the sentences that do not hold."""

    hire: hire_pb2.Hire
    contract: contract_pb2.Contract
    charges: int = 0
    charged: int = 0
    events: list[SeenEvent] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def expect(self, condition: object, sentence: str) -> None:
        """Note a sentence as held or as a finding."""
        (self.held if condition else self.findings).append(sentence)


async def prove(
    journey: Journey, operator: Caller, hire_id: str, stripe_base: str, nats_url: str
) -> Proof:
    """Read a HIRED hire back from every service, from Stripe and from the event stream."""
    services = journey.services
    hire = (
        await operator.call(services.hiring.GetHire, hire_pb2.GetHireRequest(hire_id=hire_id))
    ).hire
    contract = (
        await operator.call(
            services.contracts.GetContract,
            contract_pb2.GetContractRequest(contract_id=hire.contract_id),
        )
    ).contract
    proof = Proof(hire, contract)
    proof.expect(hire.state == hire_pb2.HIRE_STATE_HIRED, "hiring: the hire ended HIRED")
    await _prove_contract(proof, journey, operator)
    await _prove_people(proof, journey)
    await _prove_threads(proof, journey)
    await _prove_charges(proof, stripe_base)
    await _prove_events(proof, nats_url)
    await _prove_read_models(proof, journey)
    return proof


async def _prove_contract(proof: Proof, journey: Journey, operator: Caller) -> None:
    contracts = journey.services.contracts
    contract, hire = proof.contract, proof.hire
    proof.expect(
        contract.state == contract_pb2.CONTRACT_STATE_ACTIVE, "contracts: the contract is ACTIVE"
    )
    funded = [
        m for m in contract.milestones if m.state == contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED
    ]
    proof.expect(
        len(contract.milestones) == len(funded) == 1
        and funded[0].milestone_id == hire.milestone_id
        and funded[0].charge_id == hire.charge_id,
        "contracts: its one milestone is ACTIVE_FUNDED by the hire's charge",
    )
    ledger = await operator.call(
        contracts.ListLedgerEntries,
        contract_pb2.ListLedgerEntriesRequest(contract_id=contract.contract_id),
    )
    balances: dict[int, int] = defaultdict(int)
    for entry in ledger.entries:
        for posting in entry.postings:
            balances[posting.account] += posting.amount_minor_units
    quote = hire.quote
    proof.expect(
        balances[contract_pb2.LEDGER_ACCOUNT_CHARGED] == quote.total_minor_units
        and balances[contract_pb2.LEDGER_ACCOUNT_HELD] == -quote.amount_minor_units
        and balances[contract_pb2.LEDGER_ACCOUNT_FEES]
        == -(quote.marketplace_fee_minor_units + quote.contract_fee_minor_units)
        and sum(balances.values()) == 0,
        "contracts: the ledger balances: charged = held + fees",
    )
    invoices = await operator.call(
        contracts.ListInvoices, contract_pb2.ListInvoicesRequest(contract_id=contract.contract_id)
    )
    proof.expect(
        [invoice.total_minor_units for invoice in invoices.invoices] == [quote.total_minor_units],
        "contracts: one invoice over the total",
    )


async def _prove_people(proof: Proof, journey: Journey) -> None:
    services = journey.services
    seen = await journey.employer.call(
        services.proposals.GetProposal,
        proposal_pb2.GetProposalRequest(proposal_id=journey.proposal_id),
    )
    proof.expect(
        seen.proposal.review_state == proposal_pb2.REVIEW_STATE_HIRED and not seen.proposal.hire_id,
        "proposals: the employer sees HIRED and no reservation",
    )
    own = await journey.trainer.call(
        services.proposals.GetOwnProposal,
        proposal_pb2.GetOwnProposalRequest(proposal_id=journey.proposal_id),
    )
    proof.expect(
        own.proposal.status == proposal_pb2.PROPOSAL_STATUS_HIRED,
        "proposals: the trainer sees HIRED",
    )
    job = await journey.employer.call(
        services.jobs.GetJob, job_pb2.GetJobRequest(job_id=journey.job.job_id)
    )
    proof.expect(
        job.job.positions_filled == 1 and job.job.positions_reserved == 0,
        "jobs: one position is filled, none reserved",
    )


async def _prove_threads(proof: Proof, journey: Journey) -> None:
    messaging = journey.services.messaging
    threads = await journey.trainer.call(
        messaging.ListThreads, thread_pb2.ListThreadsRequest(job_id=journey.job.job_id)
    )
    jobs = [t for t in threads.threads if t.kind == thread_pb2.THREAD_KIND_JOB]
    proof.expect(
        [t.thread_id for t in jobs] == [proof.hire.thread_id],
        "messaging: the trainer is in the one job thread",
    )
    messages = await journey.trainer.call(
        messaging.ListMessages, thread_pb2.ListMessagesRequest(thread_id=proof.hire.thread_id)
    )
    proof.expect(
        [m.kind for m in messages.messages] == [thread_pb2.MESSAGE_KIND_SYSTEM],
        "messaging: it begins with a system message",
    )


async def _prove_charges(proof: Proof, stripe_base: str) -> None:
    charges = await charges_of(stripe_base, proof.hire.workflow_id)
    proof.charges = len(charges)
    proof.charged = sum(charges.values())
    proof.expect(
        list(charges) == [proof.hire.charge_id]
        and proof.charged == proof.hire.quote.total_minor_units,
        "stripe: exactly one charge, over the total",
    )


async def charges_of(stripe_base: str, workflow_id: str) -> dict[str, int]:
    """Ask Stripe for the succeeded charges of a hire by metadata; charge id to minor units."""
    found: dict[str, int] = {}
    async with httpx.AsyncClient(
        base_url=stripe_base, headers={"Authorization": "Bearer sk_test_hireflow"}
    ) as http:
        page: dict[str, str] = {"limit": "100"}
        while True:
            answer = (await http.get("/v1/charges", params=page)).raise_for_status().json()
            for charge in answer["data"]:
                ours = charge["metadata"].get("workflow_id") == workflow_id
                if ours and charge["status"] == "succeeded":
                    found[charge["id"]] = charge["amount"]
            if not answer["has_more"]:
                return found
            page["starting_after"] = answer["data"][-1]["id"]


async def _prove_events(proof: Proof, nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    try:
        stream = connection.jetstream()
        deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
        while True:
            proof.events = await read_events(stream)
            missing = EXPECTED_EVENTS - {event.type for event in proof.events}
            if not missing or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.05)  # the relay publishes after the commit
        proof.expect(not missing, f"events: all seen{f', but not {missing}' if missing else ''}")
        proof.expect(
            not broken_orders(proof.events), "events: versions have no gap in any aggregate"
        )
        proof.expect(await _consumers_done(stream, deadline), "events: every consumer is through")
    finally:
        await connection.close()


async def read_events(stream: JetStreamContext) -> list[SeenEvent]:
    """Read the whole stream, sorted by aggregate and then version."""
    info = await stream.stream_info(STREAM)
    seen: list[SeenEvent] = []
    for sequence in range(info.state.first_seq, info.state.last_seq + 1):
        try:
            message = await stream.get_msg(STREAM, sequence)
        except NotFoundError:
            continue  # removed from the stream by an operator
        headers = message.headers or {}
        seen.append(
            SeenEvent(
                headers["ce-type"],
                headers["ce-aggregatetype"],
                headers["ce-subject"],
                int(headers["ce-aggregateversion"]),
            )
        )
    return sorted(seen, key=lambda event: (event.aggregate, event.aggregate_id, event.version))


def broken_orders(events: list[SeenEvent]) -> list[str]:
    """Name the aggregates whose versions are not 1, 2, 3 … each once."""
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        versions[event.aggregate, event.aggregate_id].append(event.version)
    return [
        f"{aggregate} {aggregate_id}"
        for (aggregate, aggregate_id), found in versions.items()
        if found != list(range(1, len(found) + 1))
    ]


async def _consumers_done(stream: JetStreamContext, deadline: float) -> bool:
    while True:
        consumers = await stream.consumers_info(STREAM)
        if consumers and all(c.num_pending == 0 and c.num_ack_pending == 0 for c in consumers):
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.05)  # between two looks at the consumers


async def _prove_read_models(proof: Proof, journey: Journey) -> None:
    job = await journey.employer.call(
        journey.services.jobs.GetJob, job_pb2.GetJobRequest(job_id=journey.job.job_id)
    )
    proof.expect(job.job.proposals == 1, "jobs: the count of proposals, kept by events, is 1")
