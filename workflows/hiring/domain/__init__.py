"""The rules of hiring: hires and their steps, terms, fundings, conditions, provider's events."""

from workflows.hiring.domain.actor import Actor, Causer
from workflows.hiring.domain.funding import (
    Funding,
    FundingChange,
    FundingDraft,
    FundingState,
    RefundDraft,
    RefundRow,
)
from workflows.hiring.domain.hire import (
    Fact,
    Hire,
    HireChanges,
    HireState,
    HireStep,
    Stage,
    StepRecord,
    ToldHire,
    WaitingFor,
    fact_of,
)
from workflows.hiring.domain.preconditions import (
    Condition,
    JobFacts,
    Precondition,
    ProposalFacts,
)
from workflows.hiring.domain.stripe_event import LateKind, Route, StripeEvent
from workflows.hiring.domain.terms import HireTerms, Milestone, Terms, Totals, Verdict, Wish

__all__ = [
    "Actor",
    "Causer",
    "Condition",
    "Fact",
    "Funding",
    "FundingChange",
    "FundingDraft",
    "FundingState",
    "Hire",
    "HireChanges",
    "HireState",
    "HireStep",
    "HireTerms",
    "JobFacts",
    "LateKind",
    "Milestone",
    "Precondition",
    "ProposalFacts",
    "RefundDraft",
    "RefundRow",
    "Route",
    "Stage",
    "StepRecord",
    "StripeEvent",
    "Terms",
    "ToldHire",
    "Totals",
    "Verdict",
    "WaitingFor",
    "Wish",
    "fact_of",
]
