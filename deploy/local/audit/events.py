"""The stream: every event once, versions without gaps, and the same story as the rows."""

from collections import Counter
from collections.abc import Iterator, Sequence

from deploy.local.audit.facts import Facts, SeenEvent
from deploy.local.audit.findings import Kind
from hireflow.contracts.v1 import contract_events_pb2, contract_pb2
from hireflow.hiring.v1 import hire_events_pb2, hire_pb2
from hireflow.jobs.v1 import job_pb2
from hireflow.proposals.v1 import proposal_events_pb2, proposal_pb2

Said = Iterator[tuple[Kind, str]]
HIRE = "hireflow.hiring.v1.hire."
CONTRACT = "hireflow.contracts.v1.contract."
UNDONE_ENDS = {f"{HIRE}cancelled", f"{HIRE}expired", f"{HIRE}failed"}
ENDS = UNDONE_ENDS | {f"{HIRE}completed"}


def events_agree(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell of gaps and repeats per aggregate, and where events and states disagree."""
    contracts = [c for c in facts.contracts.get(hire.proposal_id, ()) if c.hire_id == hire.hire_id]
    aggregates = [
        ("hire", hire.hire_id),
        ("proposal", hire.proposal_id),
        ("job", hire.job_id),
        *(("contract", contract.contract_id) for contract in contracts),
        *([("thread", hire.thread_id)] if hire.thread_id else []),
    ]
    for aggregate, aggregate_id in aggregates:
        yield from _are_contiguous(
            f"{aggregate} {aggregate_id}", facts.events_of(aggregate, aggregate_id)
        )
    yield from _of_hire(hire, facts.steps.get(hire.hire_id), facts.events_of("hire", hire.hire_id))
    for contract in contracts:
        events = facts.events_of("contract", contract.contract_id)
        invoices = facts.invoices.get(contract.contract_id, ())
        yield from _of_contract(contract, invoices, events)
    yield from _of_proposal(
        hire, facts.proposals[hire.proposal_id], facts.events_of("proposal", hire.proposal_id)
    )
    yield from _of_job(facts.jobs[hire.job_id], facts.events_of("job", hire.job_id))


def _are_contiguous(aggregate: str, events: Sequence[SeenEvent]) -> Said:
    if not events:
        yield Kind.EVENTS, f"{aggregate} has no event"
    ids = Counter(event.id for event in events)
    repeated = [event_id for event_id, times in ids.items() if times > 1]
    if repeated:
        yield Kind.EVENTS, f"{aggregate} has events stored more than once: {repeated}"
    versions = sorted({(event.version, event.id) for event in events})
    found = [version for version, _ in versions]
    if found != list(range(1, len(found) + 1)):
        yield Kind.EVENTS, f"{aggregate} has the versions {found}"


def _of_hire(hire: hire_pb2.Hire, steps: Sequence[int] | None, events: Sequence[SeenEvent]) -> Said:
    ends = [event.type for event in events if event.type in ENDS]
    wanted = {
        hire_pb2.HIRE_STATE_HIRED: {f"{HIRE}completed"},
        hire_pb2.HIRE_STATE_UNDONE: UNDONE_ENDS,
    }
    told = f"hire {hire.hire_id} is {hire_pb2.HireState.Name(hire.state)}"
    if hire.state in wanted:
        if len(ends) != 1 or ends[0] not in wanted[hire.state]:
            yield Kind.EVENTS, f"{told}, its events end with {ends}"
    elif ends:
        yield Kind.EVENTS, f"{told}, its events say {ends}"
    # Each step of the story is told by one event, so a lost last event shows here.
    in_events = [_step(event) for event in _ordered(events)]
    if steps is not None and in_events != list(steps):
        yield Kind.EVENTS, f"{told} after the steps {list(steps)}, its events tell {in_events}"


def _of_contract(
    contract: contract_pb2.Contract,
    invoices: Sequence[contract_pb2.Invoice],
    events: Sequence[SeenEvent],
) -> Said:
    state = contract.state
    told = f"contract {contract.contract_id} is {contract_pb2.ContractState.Name(state)}"
    times = Counter(event.type for event in events)
    expected = {
        "created": 1,
        "activated": int(contract.HasField("activate_time")),
        "cancelled": int(state == contract_pb2.CONTRACT_STATE_CANCELLED),
        "ended": int(state == contract_pb2.CONTRACT_STATE_ENDED),
    }
    for verb, wanted in expected.items():
        if times[CONTRACT + verb] != wanted:
            yield Kind.EVENTS, f"{told} and has {times[CONTRACT + verb]} events {verb}"
    for event in _ordered(events)[-1:]:
        facts = getattr(event.message, "contract", None)
        if facts is None or facts.state != state:
            yield Kind.EVENTS, f"{told} and not as its last event says"
    issued = sorted(
        event.message.invoice_id
        for event in events
        if isinstance(event.message, contract_events_pb2.InvoiceIssued)
    )
    if issued != sorted(invoice.invoice_id for invoice in invoices):
        yield Kind.EVENTS, f"{told} with {len(invoices)} papers, its events tell of {len(issued)}"
    funded = sum(milestone.HasField("fund_time") for milestone in contract.milestones)
    if times["hireflow.contracts.v1.milestone.funded"] != funded:
        yield Kind.EVENTS, f"{told} with {funded} milestones funded, its events tell otherwise"


def _of_proposal(
    hire: hire_pb2.Hire, proposal: proposal_pb2.Proposal, events: Sequence[SeenEvent]
) -> Said:
    hired = [
        event.message.hire_id
        for event in events
        if isinstance(event.message, proposal_events_pb2.ProposalHired)
    ]
    wanted = int(hire.state == hire_pb2.HIRE_STATE_HIRED)
    if hired.count(hire.hire_id) != wanted:
        yield Kind.EVENTS, f"proposal {proposal.proposal_id} tells {hired} as its hires"
    for event in _ordered(events)[-1:]:
        facts = getattr(event.message, "proposal", None)
        row = (proposal.review_state, proposal.withdrawn)
        if facts is None or (facts.review_state, facts.withdrawn) != row:
            yield Kind.EVENTS, f"proposal {proposal.proposal_id} is not as its last event says"


def _of_job(job: job_pb2.Job, events: Sequence[SeenEvent]) -> Said:
    for event in _ordered(events)[-1:]:
        facts = getattr(event.message, "job", None)
        if facts is None or facts.state != job.state:
            yield Kind.EVENTS, f"job {job.job_id} is not as its last event says"


def _ordered(events: Sequence[SeenEvent]) -> list[SeenEvent]:
    """Put each event once, in the order of its aggregate."""
    return [event for _, event in sorted({event.version: event for event in events}.items())]


def _step(event: SeenEvent) -> int:
    facts = getattr(event.message, "hire", None)
    return facts.step if isinstance(facts, hire_events_pb2.HireFacts) else 0
