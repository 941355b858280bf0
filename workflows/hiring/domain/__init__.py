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
    WaitsOn,
    fact_of,
)
from workflows.hiring.domain.preconditions import (
    Condition,
    JobFacts,
    Precondition,
    ProposalFacts,
)
from workflows.hiring.domain.standing import NextAction, Outlook, outlook
from workflows.hiring.domain.stripe_event import SUBSCRIBED, LateKind, Route, StripeEvent
from workflows.hiring.domain.terms import HireTerms, Milestone, Terms, Totals, Verdict, Wish
from workflows.hiring.domain.timeline import fact_told, sentence_of

__all__ = [
    "SUBSCRIBED",
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
    "NextAction",
    "Outlook",
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
    "WaitsOn",
    "Wish",
    "fact_of",
    "fact_told",
    "outlook",
    "sentence_of",
]
