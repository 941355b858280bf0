"""What an invoice says."""

from dataclasses import replace
from datetime import UTC, datetime

from services.contracts.domain import (
    Contract,
    ContractState,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Quote,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_funding_invoice_names_the_milestone_both_fees_and_their_sum(
    contracts: dict[ContractState, Contract],
) -> None:
    contract = contracts[ContractState.ACTIVE]
    invoice = Invoice.of_funding(
        "invoice-1", 7, contract=contract, milestone=contract.milestones[0], now=NOON
    )
    assert invoice.lines == (
        InvoiceLine("Milestone: First hundred", 45000),
        InvoiceLine("Marketplace fee", 4500),
        InvoiceLine("Contract fee, once per contract", 995),
    )
    assert (invoice.total, invoice.currency) == (50495, "USD")
    assert (invoice.number, invoice.kind) == (7, InvoiceKind.FUNDING)
    assert "Taxes" in invoice.note


def test_a_further_milestone_has_no_line_for_the_contract_fee(
    contracts: dict[ContractState, Contract], quote: Quote
) -> None:
    contract = contracts[ContractState.ACTIVE]
    further = replace(contract.milestones[0], quote=replace(quote, contract_fee=0))
    invoice = Invoice.of_funding("invoice-2", 8, contract=contract, milestone=further, now=NOON)
    assert [line.amount for line in invoice.lines] == [45000, 4500]
    assert invoice.total == 49500
