"""Whole stand-ins for what hiring settles with: neighbours, the workflows, the provider."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from services.common.errors import HireflowError, Unavailable
from workflows.hire.contract import (
    CancelOrder,
    HireInput,
    OperatorOrder,
    OperatorVerb,
    PaymentRetry,
    TermsOffer,
)
from workflows.hiring.domain import JobFacts, LateKind, ProposalFacts, Totals
from workflows.hiring.use_cases.ports import NotRunning
from workflows.payments.gateway import Intent, IntentOrder, SavedMethod, Setup


@dataclass
class Neighbours:
    """Proposals, jobs and contracts, as far as hiring asks them."""

    proposals: dict[str, ProposalFacts] = field(default_factory=dict)
    jobs: dict[str, JobFacts] = field(default_factory=dict)
    marketplace_fee_percent: int = 10

    async def proposal(self, proposal_id: str) -> ProposalFacts | None:
        await asyncio.sleep(0)
        return self.proposals.get(proposal_id)

    async def job(self, job_id: str) -> JobFacts | None:
        await asyncio.sleep(0)
        return self.jobs.get(job_id)

    async def quote(self, amount: int, currency: str) -> Totals:
        await asyncio.sleep(0)
        return Totals(amount, amount * self.marketplace_fee_percent // 100, 995, currency)

    def change(self, proposal_id: str, **changes: object) -> None:
        changed = replace(self.proposals[proposal_id], **changes)  # type: ignore[arg-type] # fields by name
        self.proposals[proposal_id] = changed


@dataclass
class Stories:
    """The workflows: what reached them, and how they answer."""

    running: dict[str, HireInput] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    offers: list[TermsOffer] = field(default_factory=list)
    retries: list[tuple[str, PaymentRetry]] = field(default_factory=list)
    cancels: list[tuple[str, CancelOrder]] = field(default_factory=list)
    orders: list[tuple[OperatorVerb, str, OperatorOrder]] = field(default_factory=list)
    hints: list[tuple[str, str]] = field(default_factory=list)
    late_facts: list[tuple[LateKind, str]] = field(default_factory=list)
    refusals: dict[str, HireflowError] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    down: bool = False

    async def start(self, hire: HireInput, *, again: bool) -> None:
        self._require_up()
        self.starts.append(hire.hire_id)
        self.running[hire.hire_id] = hire

    async def offer_terms(self, proposal_id: str, hire_id: str, offer: TermsOffer) -> None:
        self._require_willing(hire_id)
        self.offers.append(offer)

    async def retry_payment(
        self, proposal_id: str, hire_id: str, key: str, retry: PaymentRetry
    ) -> None:
        self._require_willing(hire_id)
        self.retries.append((key, retry))

    async def cancel_hire(
        self, proposal_id: str, hire_id: str, key: str, order: CancelOrder
    ) -> None:
        self._require_willing(hire_id)
        self.cancels.append((key, order))

    async def give_order(
        self, proposal_id: str, hire_id: str, verb: OperatorVerb, key: str, order: OperatorOrder
    ) -> None:
        self._require_willing(hire_id)
        self.orders.append((verb, key, order))

    async def hint(self, workflow_id: str, intent_id: str) -> None:
        self._require_up()
        if all(f"hire/{hire.proposal_id}" != workflow_id for hire in self.running.values()):
            raise NotRunning(workflow_id)
        self.hints.append((workflow_id, intent_id))

    async def late_fact(self, kind: LateKind, object_id: str) -> None:
        self._require_up()
        self.late_facts.append((kind, object_id))

    def _require_up(self) -> None:
        if self.down:
            raise Unavailable("DEPENDENCY_UNAVAILABLE", "temporal does not answer")

    def _require_willing(self, hire_id: str) -> None:
        self._require_up()
        if hire_id not in self.running:
            raise NotRunning(hire_id)
        if hire_id in self.refusals:
            self.refused.append(hire_id)
            raise self.refusals[hire_id]


@dataclass
class Provider:
    """Customers and secrets at the payment provider."""

    customers: dict[str, str] = field(default_factory=dict)
    saved: dict[str, list[SavedMethod]] = field(default_factory=dict)
    setups: dict[str, Setup] = field(default_factory=dict)

    def save_method(self, customer_id: str) -> str:
        """Save a card with a customer, newest first."""
        method = SavedMethod(
            method_id=f"pm_{uuid4().hex}",
            customer_id=customer_id,
            type="card",
            brand="visa",
            last4="4242",
            expiry_month=12,
            expiry_year=2030,
            created=datetime.now(UTC),
        )
        self.saved.setdefault(customer_id, []).insert(0, method)
        return method.method_id


class Customers:
    """The port `Customers` on the provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def create(self, organisation_id: str, key: str) -> str:
        await asyncio.sleep(0)
        return self._provider.customers.setdefault(key, f"cus_{uuid4().hex}")

    async def setup(self, customer_id: str, key: str) -> Setup:
        made = Setup(f"seti_{uuid4().hex}", f"secret_{uuid4().hex}")
        return self._provider.setups.setdefault(key, made)

    async def methods(self, customer_id: str) -> list[SavedMethod]:
        await asyncio.sleep(0)
        return list(self._provider.saved.get(customer_id, []))

    async def detach(self, customer_id: str, method_id: str) -> bool:
        saved = self._provider.saved.get(customer_id, [])
        kept = [method for method in saved if method.method_id != method_id]
        self._provider.saved[customer_id] = kept
        return len(kept) < len(saved)


class Intents:
    """The port `Intents`, of which the API needs the secret alone: it never charges."""

    async def client_secret(self, intent_id: str) -> str:
        return f"{intent_id}_secret"

    async def create(self, order: IntentOrder, key: str) -> Intent:
        raise AssertionError("the API creates no intent")

    async def find(self, order: IntentOrder, since: datetime) -> Intent | None:
        raise AssertionError("the API looks for no intent")

    async def confirm(self, intent_id: str, method_id: str, key: str) -> Intent:
        raise AssertionError("the API confirms no intent")

    async def read(self, intent_id: str) -> Intent:
        raise AssertionError("the API reads no intent")

    async def cancel(self, intent_id: str) -> Intent:
        raise AssertionError("the API cancels no intent")
