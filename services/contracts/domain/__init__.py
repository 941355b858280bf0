"""The rules of contracts, pure: terms and fees, states and transitions, the ledger, the papers."""

from services.contracts.domain.charge import Charge, RecordedCharge
from services.contracts.domain.contract import (
    Contract,
    ContractState,
    ContractVerb,
    Parties,
)
from services.contracts.domain.dispute import Dispute, DisputeState, together
from services.contracts.domain.invoice import (
    TAX_NOTE,
    TRAINER_KINDS,
    Invoice,
    InvoiceKind,
    InvoiceLine,
)
from services.contracts.domain.ledger import (
    Account,
    Balances,
    EntryKind,
    LedgerEntry,
    Movement,
    balances,
)
from services.contracts.domain.milestone import Milestone, MilestoneState, MilestoneVerb
from services.contracts.domain.terms import Fees, MilestoneTerms, Quote, check_amount

__all__ = [
    "TAX_NOTE",
    "TRAINER_KINDS",
    "Account",
    "Balances",
    "Charge",
    "Contract",
    "ContractState",
    "ContractVerb",
    "Dispute",
    "DisputeState",
    "EntryKind",
    "Fees",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "LedgerEntry",
    "Milestone",
    "MilestoneState",
    "MilestoneTerms",
    "MilestoneVerb",
    "Movement",
    "Parties",
    "Quote",
    "RecordedCharge",
    "balances",
    "check_amount",
    "together",
]
