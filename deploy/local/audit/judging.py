"""Compares what was read about hires: the sentences that must hold whatever died on the way.

Pure: facts in, findings out. The sentences are those that stand above the scenarios in the
hire's design; a check tells where one does not hold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from deploy.local.audit.events import events_agree
from deploy.local.audit.facts import Charge, Facts
from deploy.local.audit.findings import Finding, Kind
from deploy.local.audit.positions import nothing_is_held_for_nobody
from hireflow.contracts.v1 import contract_pb2
from hireflow.hiring.v1 import hire_pb2
from hireflow.proposals.v1 import proposal_pb2

CLIENT_WAITS = frozenset(
    {
        hire_pb2.HIRE_WAITING_FOR_CLIENT_CONFIRMATION,
        hire_pb2.HIRE_WAITING_FOR_PAYMENT_METHOD,
        hire_pb2.HIRE_WAITING_FOR_BANK,
        hire_pb2.HIRE_WAITING_FOR_APPROVAL,
    }
)
Waits = frozenset[hire_pb2.HireWaitingFor.ValueType]

LIVE = {contract_pb2.CONTRACT_STATE_PENDING, contract_pb2.CONTRACT_STATE_ACTIVE}
RUNNING, HIRED, UNDONE = (
    hire_pb2.HIRE_STATE_RUNNING,
    hire_pb2.HIRE_STATE_HIRED,
    hire_pb2.HIRE_STATE_UNDONE,
)


def judge(facts: Facts, waits: Waits = CLIENT_WAITS) -> list[Finding]:
    """Name what does not hold of the hires; a sentence about what several share comes once.

    `waits` are what a hire that did not end may wait for, until its deadline.
    """
    checks = (
        partial(_is_ended_or_waits, waits=waits),
        _row_is_the_workflows_end,
        _is_charged_at_most_once,
        _leaves_no_open_intent,
        _has_one_contract,
        _is_hired_altogether,
        _ledger_is_stripes,
        nothing_is_held_for_nobody,
        events_agree,
    )
    findings: dict[tuple[Kind, str], Finding] = {}
    for hire_id in facts.asked:
        hire = facts.hires.get(hire_id)
        if hire is None:
            lost = Finding(Kind.LOST, hire_id, "no hire is known by this id")
            findings[lost.kind, hire_id] = lost
            continue
        for check in checks:
            for kind, told in check(facts, hire):
                findings.setdefault((kind, told), Finding(kind, hire_id, told))
    return list(findings.values())


Said = Iterator[tuple[Kind, str]]


def _is_ended_or_waits(facts: Facts, hire: hire_pb2.Hire, *, waits: Waits) -> Said:
    """Tell of a hire that neither ended nor waits for somebody who may take their time."""
    if hire.state != RUNNING:
        return
    waiting = hire_pb2.HireWaitingFor.Name(hire.waiting_for).removeprefix("HIRE_WAITING_FOR_")
    if hire.waiting_for not in waits:
        told = f"it runs, in stage {_stage(hire)}, waiting for {waiting}"
        yield Kind.STUCK, f"{told} {hire.blocked_reason}".rstrip()
    elif (
        hire.HasField("wait_deadline")
        and hire.wait_deadline.ToDatetime(facts.read_at.tzinfo) < facts.read_at
    ):
        yield Kind.STUCK, f"it waits for {waiting} although the deadline passed"


def _row_is_the_workflows_end(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell where the hire's row is not its workflow's end."""
    run = facts.runs.get(hire.hire_id)
    state = hire_pb2.HireState.Name(hire.state).removeprefix("HIRE_STATE_")
    if run is None:
        yield Kind.END, f"it is {state} and Temporal knows no run of it"
        return
    ends = {
        RUNNING: {"RUNNING"},
        HIRED: {"COMPLETED", "CLEANED_UP"},
        UNDONE: {"FAILED", "CANCELED", "CLEANED_UP"},
    }
    if run.status not in ends[hire.state]:
        yield Kind.END, f"it is {state} and its workflow is {run.status}"
    elif run.status == "FAILED" and run.reason != hire.end_reason:
        yield Kind.END, f"it ended {hire.end_reason} and its workflow failed with {run.reason}"


def _is_charged_at_most_once(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell of more than one unrefunded charge, none though HIRED, or any though UNDONE."""
    charges = facts.charges.get(hire.workflow_id, ())
    held = [charge for charge in charges if charge.unrefunded]
    own = [charge for charge in held if charge.contract_id in _contract_ids(facts, hire)]
    if len(held) > 1:
        yield Kind.DOUBLED, f"proposal {hire.proposal_id} has {_ids(held)} charged and unrefunded"
    if hire.state == UNDONE and own:
        yield Kind.LOST, f"it is UNDONE and {_ids(own)} is not refunded"
    if hire.state == HIRED and [charge.charge_id for charge in own] != [hire.charge_id]:
        told = _ids(own) or "no charge"
        yield Kind.LOST, f"it is HIRED by charge {hire.charge_id or '(none)'}, Stripe has {told}"
    charged = sum(charge.amount for charge in own)
    if hire.state == HIRED and own and charged != hire.quote.total_minor_units:
        quoted = hire.quote.total_minor_units
        yield Kind.LEDGER, f"it is HIRED for {quoted} and Stripe charged {charged}"
    known = {c.contract_id for c in facts.contracts.get(hire.proposal_id, ())}
    for charge in charges:
        if charge.contract_id not in known:
            yield Kind.LOST, f"charge {charge.charge_id} is for a contract that nobody knows"


def _leaves_no_open_intent(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell of a payment intent that could still be paid after the hire ended."""
    if hire.state == RUNNING:
        return
    own = _contract_ids(facts, hire)
    for intent in facts.intents.get(hire.workflow_id, ()):
        mine = intent.contract_id in own or intent.intent_id == hire.payment_intent_id
        if mine and not intent.final:
            yield Kind.END, f"it ended and intent {intent.intent_id} is {intent.status}"


def _has_one_contract(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell of a proposal's second live contract, and of any that an undone hire left."""
    contracts = facts.contracts.get(hire.proposal_id, ())
    live = [contract for contract in contracts if contract.state in LIVE]
    if len(live) > 1:
        ids = ", ".join(contract.contract_id for contract in live)
        yield Kind.DOUBLED, f"proposal {hire.proposal_id} has the live contracts {ids}"
    for contract in live:
        if hire.state == UNDONE and contract.hire_id == hire.hire_id:
            state = contract_pb2.ContractState.Name(contract.state).removeprefix("CONTRACT_STATE_")
            yield Kind.END, f"it is UNDONE and contract {contract.contract_id} is {state}"


def _is_hired_altogether(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell what a HIRED hire lacks: contract, funded milestone, thread, proposal HIRED."""
    if hire.state != HIRED:
        return
    mine = [c for c in facts.contracts.get(hire.proposal_id, ()) if c.hire_id == hire.hire_id]
    active = [c for c in mine if c.state == contract_pb2.CONTRACT_STATE_ACTIVE]
    if [contract.contract_id for contract in active] != [hire.contract_id]:
        yield Kind.LOST, f"it is HIRED and has {len(active)} ACTIVE contracts, not one"
    funded = [
        (milestone.milestone_id, milestone.charge_id)
        for contract in mine
        for milestone in contract.milestones
        if milestone.state == contract_pb2.MILESTONE_STATE_ACTIVE_FUNDED
    ]
    if funded != [(hire.milestone_id, hire.charge_id)]:
        yield Kind.LOST, f"it is HIRED and its funded milestones are {funded}"
    threads = [t.thread_id for t in facts.threads.get(hire.contract_id, ())]
    if threads != [hire.thread_id]:
        kind = Kind.DOUBLED if len(threads) > 1 else Kind.LOST
        yield kind, f"it is HIRED with thread {hire.thread_id}, messaging has {threads}"
    review = facts.proposals[hire.proposal_id].review_state
    if review != proposal_pb2.REVIEW_STATE_HIRED:
        yield Kind.LOST, f"it is HIRED and its proposal is {proposal_pb2.ReviewState.Name(review)}"


def _ledger_is_stripes(facts: Facts, hire: hire_pb2.Hire) -> Said:
    """Tell where the ledger's charges and refunds are not Stripe's, contract by contract."""
    if hire.state == RUNNING:
        return  # between a charge and its booking both are right
    charges = facts.charges.get(hire.workflow_id, ())
    for contract_id in sorted(_contract_ids(facts, hire)):
        balances: Counter[int] = Counter()
        for entry in facts.ledgers.get(contract_id, ()):
            for posting in entry.postings:
                balances[posting.account] += posting.amount_minor_units
        if sum(balances.values()) != 0:
            yield Kind.LEDGER, f"the postings of contract {contract_id} do not sum to zero"
        own = [charge for charge in charges if charge.contract_id == contract_id]
        stripe = (sum(c.amount for c in own), sum(c.refunded for c in own))
        ledger = (
            balances[contract_pb2.LEDGER_ACCOUNT_CHARGED],
            -balances[contract_pb2.LEDGER_ACCOUNT_REFUNDED],
        )
        if ledger != stripe:
            told = f"the ledger has charged and refunded {ledger}, Stripe {stripe}"
            yield Kind.LEDGER, f"contract {contract_id}: {told}"


def _contract_ids(facts: Facts, hire: hire_pb2.Hire) -> set[str]:
    of_proposal = facts.contracts.get(hire.proposal_id, ())
    own = {c.contract_id for c in of_proposal if c.hire_id == hire.hire_id}
    return own | ({hire.contract_id} if hire.contract_id else set())


def _ids(charges: Sequence[Charge]) -> str:
    return ", ".join(charge.charge_id for charge in charges)


def _stage(hire: hire_pb2.Hire) -> str:
    return hire_pb2.HireStage.Name(hire.stage).removeprefix("HIRE_STAGE_")
