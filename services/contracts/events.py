"""The events of contracts: ids, states and amounts, never text of people. None is listened to."""

from datetime import datetime

from google.protobuf.message import Message

from hireflow.contracts.v1 import contract_events_pb2 as pb
from hireflow.contracts.v1 import contract_pb2
from services.common.outbox import Event
from services.contracts.domain import (
    Account,
    Contract,
    Dispute,
    DisputeState,
    Invoice,
    LedgerEntry,
    Milestone,
    RecordedCharge,
)


def contract_created(contract: Contract) -> Event:
    """Tell that a hire's contract was written down."""
    return _event(contract, pb.ContractCreated(contract=_facts(contract)), contract.create_time)


def milestone_created(contract: Contract, milestone: Milestone) -> Event:
    """Tell that a milestone was agreed."""
    message = pb.MilestoneCreated(contract=_facts(contract), milestone=_milestone(milestone))
    return _event(contract, message, milestone.create_time)


def contract_amended(contract: Contract, milestone: Milestone, now: datetime) -> Event:
    """Tell that other terms were agreed before anything was paid."""
    message = pb.ContractAmended(contract=_facts(contract), milestone=_milestone(milestone))
    return _event(contract, message, now)


def contract_cancelled(contract: Contract, reason: str, now: datetime) -> Event:
    """Tell that a contract never became active, and why."""
    message = pb.ContractCancelled(contract=_facts(contract), reason=reason)
    return _event(contract, message, now)


def milestone_cancelled(contract: Contract, milestone: Milestone, now: datetime) -> Event:
    """Tell that a milestone was given up before it was funded."""
    message = pb.MilestoneCancelled(contract=_facts(contract), milestone=_milestone(milestone))
    return _event(contract, message, now)


def milestone_funded(contract: Contract, milestone: Milestone, now: datetime) -> Event:
    """Tell that a milestone's money is held."""
    message = pb.MilestoneFunded(
        contract=_facts(contract),
        milestone=_milestone(milestone),
        charge_id=milestone.charge_id,
    )
    return _event(contract, message, now)


def contract_activated(contract: Contract, now: datetime) -> Event:
    """Tell that work may begin."""
    return _event(contract, pb.ContractActivated(contract=_facts(contract)), now)


def contract_ended(contract: Contract, reason: str, now: datetime) -> Event:
    """Tell that a contract that was active is over, and why."""
    return _event(contract, pb.ContractEnded(contract=_facts(contract), reason=reason), now)


def milestone_refunded(
    contract: Contract, milestone: Milestone, recorded: RecordedCharge, now: datetime
) -> Event:
    """Tell that a milestone's money went back to the employer."""
    message = pb.MilestoneRefunded(
        contract=_facts(contract),
        milestone=_milestone(milestone),
        charge_id=recorded.charge.charge_id,
        refund_id=recorded.refund_id,
    )
    return _event(contract, message, now)


def invoice_issued(contract: Contract, invoice: Invoice) -> Event:
    """Tell that a numbered paper exists."""
    message = pb.InvoiceIssued(
        contract=_facts(contract),
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        kind=contract_pb2.InvoiceKind.Value(f"INVOICE_KIND_{invoice.kind}"),
        total_minor_units=invoice.total,
        currency_code=invoice.currency,
    )
    return _event(contract, message, invoice.issue_time)


def refund_failed(
    contract: Contract, milestone: Milestone, refund: LedgerEntry, now: datetime
) -> Event:
    """Tell that a refund came back."""
    message = pb.RefundFailed(
        contract=_facts(contract),
        milestone=_milestone(milestone),
        refund_id=refund.external_id,
        amount_minor_units=-refund.movement.postings[Account.REFUNDED],
    )
    return _event(contract, message, now)


def milestone_disputed(
    contract: Contract, milestone: Milestone, dispute: Dispute, now: datetime
) -> Event:
    """Tell that the employer's bank contests a charge and took its money."""
    message = pb.MilestoneDisputed(
        contract=_facts(contract),
        milestone=_milestone(milestone),
        charge_id=dispute.charge_id,
        dispute_id=dispute.dispute_id,
        amount_minor_units=dispute.amount,
    )
    return _event(contract, message, now)


def dispute_closed(
    contract: Contract, milestone: Milestone, dispute: Dispute, now: datetime
) -> Event:
    """Tell how a dispute was decided."""
    message = pb.DisputeClosed(
        contract=_facts(contract),
        milestone=_milestone(milestone),
        dispute_id=dispute.dispute_id,
        won=dispute.state is DisputeState.WON,
    )
    return _event(contract, message, now)


def _event(contract: Contract, message: Message, time: datetime) -> Event:
    return Event(message, aggregate_id=contract.contract_id, time=time)


def _facts(contract: Contract) -> pb.ContractFacts:
    parties = contract.parties
    return pb.ContractFacts(
        contract_id=contract.contract_id,
        organisation_id=parties.organisation_id,
        trainer_id=parties.trainer_id,
        job_id=parties.job_id,
        proposal_id=parties.proposal_id,
        hire_id=parties.hire_id,
        state=contract_pb2.ContractState.Value(f"CONTRACT_STATE_{contract.state}"),
    )


def _milestone(milestone: Milestone) -> pb.MilestoneFacts:
    return pb.MilestoneFacts(
        milestone_id=milestone.milestone_id,
        state=contract_pb2.MilestoneState.Value(f"MILESTONE_STATE_{milestone.state}"),
        amount_minor_units=milestone.terms.amount,
        currency_code=milestone.terms.currency,
    )
