"""Contracts as the proto writes them: to and from the domain."""

import re
from collections.abc import Iterable
from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from hireflow.contracts.v1 import contract_pb2 as pb
from services.common.errors import Problems
from services.contracts.domain import (
    Charge,
    Contract,
    ContractState,
    Dispute,
    DisputeState,
    Invoice,
    LedgerEntry,
    Milestone,
    MilestoneTerms,
    Quote,
)
from services.contracts.domain.audit import Finding

# Stripe's ids are its own; it promises no more than that they fit here.
STRIPE_ID_LIMIT = 255
_LIST_LIMIT = 50
_CURRENCY = re.compile(r"[A-Z]{3}")
_STATES: dict[int, ContractState] = {
    pb.ContractState.Value(f"CONTRACT_STATE_{state}"): state for state in ContractState
}
_DISPUTES: dict[int, DisputeState] = {
    pb.DisputeState.Value(f"DISPUTE_STATE_{state}"): state for state in DisputeState
}


def check_filter(field: str, identifier: str, noted: Problems) -> None:
    """Note an id that is given and unsound; a list or a quote may do without."""
    if identifier:
        noted.require_id(field, identifier)


def read_terms(message: pb.MilestoneTerms, noted: Problems) -> MilestoneTerms:
    """Read what is agreed for a milestone, noting every bad field."""
    terms = MilestoneTerms(
        name=message.name,
        scope=message.scope,
        amount=message.amount.minor_units,
        currency=message.amount.currency_code,
        due_date=_read_date(message.due_date, noted) if message.HasField("due_date") else None,
    )
    terms.check(noted)
    return terms


def read_quote(message: pb.Quote, terms: MilestoneTerms, noted: Problems) -> Quote:
    """Read what the milestone costs, noting what is wrong in itself or beside the terms."""
    quote = Quote(
        amount=message.amount_minor_units,
        marketplace_fee=message.marketplace_fee_minor_units,
        contract_fee=message.contract_fee_minor_units,
        currency=message.currency_code,
    )
    noted.require(
        message.total_minor_units == quote.total,
        "quote.total_minor_units",
        "must be the sum of the amount and the fees",
    )
    quote.check(noted, terms)
    return quote


def read_charge(message: pb.Charge, noted: Problems) -> Charge:
    """Read a charge, noting every bad field; whether it fits is not decided here."""
    for field in ("charge_id", "payment_intent_id"):
        noted.require_id(f"charge.{field}", getattr(message, field), limit=STRIPE_ID_LIMIT)
    noted.require_id("charge.funding_id", message.funding_id)
    amount, currency = message.amount.minor_units, message.amount.currency_code
    noted.require(amount > 0, "charge.amount.minor_units", "must be positive")
    code = _CURRENCY.fullmatch(currency)
    noted.require(code, "charge.amount.currency_code", "must be an ISO 4217 code in upper case")
    return Charge(
        charge_id=message.charge_id,
        payment_intent_id=message.payment_intent_id,
        funding_id=message.funding_id,
        amount=amount,
        currency=currency,
    )


def read_dispute(message: pb.RecordDisputeRequest, noted: Problems) -> Dispute:
    """Read how a dispute stands, noting every bad field."""
    for field in ("dispute_id", "charge_id"):
        noted.require_id(field, getattr(message, field), limit=STRIPE_ID_LIMIT)
    amount, currency = message.amount.minor_units, message.amount.currency_code
    noted.require(amount > 0, "amount.minor_units", "must be positive")
    code = _CURRENCY.fullmatch(currency)
    noted.require(code, "amount.currency_code", "must be an ISO 4217 code in upper case")
    noted.require(message.state in _DISPUTES, "state", "must be a known state")
    return Dispute(
        dispute_id=message.dispute_id,
        charge_id=message.charge_id,
        amount=amount,
        currency=currency,
        state=_DISPUTES.get(message.state, DisputeState.OPEN),
    )


def read_states(numbers: Iterable[int], noted: Problems) -> list[ContractState]:
    """Read the states that a list is asked for, noting every unknown one."""
    asked = list(numbers)
    noted.require(len(asked) <= _LIST_LIMIT, "states", f"must have at most {_LIST_LIMIT} entries")
    states = []
    for index, number in enumerate(asked[:_LIST_LIMIT]):
        if noted.require(number in _STATES, f"states[{index}]", "must be a known state"):
            states.append(_STATES[number])
    return states


def quote_message(quote: Quote) -> pb.Quote:
    """Write what a funding costs."""
    return pb.Quote(
        amount_minor_units=quote.amount,
        marketplace_fee_minor_units=quote.marketplace_fee,
        contract_fee_minor_units=quote.contract_fee,
        total_minor_units=quote.total,
        currency_code=quote.currency,
    )


def contract_message(contract: Contract, *, with_costs: bool = True) -> pb.Contract:
    """Write a contract; without costs, quotes and charges are left out."""
    parties = contract.parties
    message = pb.Contract(
        contract_id=contract.contract_id,
        organisation_id=parties.organisation_id,
        trainer_id=parties.trainer_id,
        job_id=parties.job_id,
        proposal_id=parties.proposal_id,
        hire_id=parties.hire_id,
        state=pb.ContractState.Value(f"CONTRACT_STATE_{contract.state}"),
        currency_code=contract.currency,
        etag=contract.etag,
        create_time=_timestamp(contract.create_time),
        activate_time=_timestamp(contract.activate_time),
        end_time=_timestamp(contract.end_time),
    )
    for milestone in contract.milestones:
        told = _milestone_message(contract.contract_id, milestone)
        if not with_costs:
            told.ClearField("quote")
            told.ClearField("charge_id")
        message.milestones.append(told)
    return message


def invoice_message(invoice: Invoice) -> pb.Invoice:
    """Write a paper."""
    return pb.Invoice(
        invoice_id=invoice.invoice_id,
        organisation_id=invoice.organisation_id,
        number=invoice.number,
        kind=pb.InvoiceKind.Value(f"INVOICE_KIND_{invoice.kind}"),
        contract_id=invoice.contract_id,
        milestone_id=invoice.milestone_id,
        lines=[
            pb.InvoiceLine(description=line.description, amount_minor_units=line.amount)
            for line in invoice.lines
        ],
        total_minor_units=invoice.total,
        currency_code=invoice.currency,
        note=invoice.note,
        issue_time=_timestamp(invoice.issue_time),
    )


def entry_message(entry: LedgerEntry) -> pb.LedgerEntry:
    """Write an entry of the ledger."""
    return pb.LedgerEntry(
        sequence=entry.sequence,
        kind=entry.movement.kind,
        milestone_id=entry.milestone_id,
        external_id=entry.external_id,
        postings=[
            pb.LedgerPosting(
                account=pb.LedgerAccount.Value(f"LEDGER_ACCOUNT_{account}"),
                amount_minor_units=amount,
            )
            for account, amount in entry.movement.postings.items()
        ],
        currency_code=entry.currency,
        book_time=_timestamp(entry.book_time),
    )


def finding_message(finding: Finding) -> pb.LedgerFinding:
    """Write what a ledger breaks."""
    return pb.LedgerFinding(
        contract_id=finding.contract_id,
        sequence=finding.sequence,
        rule=pb.LedgerRule.Value(f"LEDGER_RULE_{finding.rule}"),
        message=finding.message,
    )


def _milestone_message(contract_id: str, milestone: Milestone) -> pb.Milestone:
    terms = milestone.terms
    message = pb.Milestone(
        milestone_id=milestone.milestone_id,
        contract_id=contract_id,
        terms=pb.MilestoneTerms(name=terms.name, scope=terms.scope),
        quote=quote_message(milestone.quote),
        state=pb.MilestoneState.Value(f"MILESTONE_STATE_{milestone.state}"),
        charge_id=milestone.charge_id,
        create_time=_timestamp(milestone.create_time),
        fund_time=_timestamp(milestone.fund_time),
    )
    message.terms.amount.minor_units = terms.amount
    message.terms.amount.currency_code = terms.currency
    if terms.due_date is not None:
        due = terms.due_date
        message.terms.due_date.CopyFrom(date_pb2.Date(year=due.year, month=due.month, day=due.day))
    return message


def _read_date(message: date_pb2.Date, noted: Problems) -> date | None:
    try:
        return date(message.year, message.month, message.day)
    except (ValueError, OverflowError):
        noted.add("milestone.due_date", "must be a day of the calendar")
        return None


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
