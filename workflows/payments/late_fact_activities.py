"""Reads an object at the provider and books what is new about it; again changes nothing.

Every effect has a key of the object's own id: the refund's row, the ledger's entry, the dispute's
state. So a look that died halfway is repeated as a whole.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message
from temporalio import activity
from temporalio.exceptions import ApplicationError

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2, contract_pb2_grpc
from services.common.telemetry import get_logger
from workflows.hire.activities import ask
from workflows.hire.contract import LateFact, LateFactResult, LateOutcome
from workflows.hire.failures import told
from workflows.hiring.domain import (
    Funding,
    FundingChange,
    FundingState,
    HireState,
    LateKind,
    RefundDraft,
)
from workflows.hiring.use_cases import late_facts
from workflows.hiring.use_cases.unit import Hiring
from workflows.payments.gateway import (
    Dispute,
    Disputes,
    DisputeStatus,
    Intent,
    Intents,
    IntentStatus,
    Refunds,
)
from workflows.payments.late_facts import TAKE_IN
from workflows.payments.refunding import give_back

Answer = TypeVar("Answer")
_log = get_logger(__name__)


class LateFactActivities:
    """Taking in late facts about intents, refunds and disputes."""

    def __init__(
        self,
        hiring: Hiring,
        contracts: "contract_pb2_grpc.ContractsServiceAsyncStub",
        intents: Intents,
        refunds: Refunds,
        disputes: Disputes,
    ) -> None:
        self._hiring = hiring
        self._contracts = contracts
        self._intents = intents
        self._refunds = refunds
        self._disputes = disputes

    def all(self) -> list[Callable[..., Any]]:
        """List the activities, for the worker."""
        return [self.take_in]

    @activity.defn(name=TAKE_IN)
    async def take_in(self, fact: LateFact) -> LateFactResult:
        """Read the object, whatever was told of it, and book what is new."""
        take = {
            LateKind.INTENT: self._intent,
            LateKind.REFUND: self._refund,
            LateKind.DISPUTE: self._dispute,
        }[LateKind(fact.kind)]
        with told():
            outcome = await take(fact.object_id)
        tell = _log.info if outcome is LateOutcome.NOTHING_NEW else _log.warning
        tell("late fact", object_id=fact.object_id, kind=fact.kind, outcome=outcome)
        return LateFactResult(outcome=outcome)

    async def _intent(self, intent_id: str) -> LateOutcome:
        intent = await self._intents.read(intent_id)
        known = await late_facts.known_funding(self._hiring, intent.funding_id or "")
        if known is None:
            return LateOutcome.UNROUTABLE
        funding = known.funding
        if funding.state is FundingState.REFUNDED:
            return LateOutcome.NOTHING_NEW
        if funding.state is not FundingState.CANCELED and known.hire is not HireState.UNDONE:
            over = known.hire is HireState.HIRED
            return LateOutcome.NOTHING_NEW if over else LateOutcome.LEFT
        if not intent.status.final:
            # Nothing may be charged under it any more.
            intent = await self._intents.cancel(intent_id)
        if intent.status is IntentStatus.SUCCEEDED:
            await self._give_back(funding, intent)
            return LateOutcome.REFUNDED
        if not intent.status.final:
            return LateOutcome.PROCESSING
        canceled = FundingChange(funding.funding_id, FundingState.CANCELED, intent_id)
        await late_facts.close_funding(self._hiring, canceled)
        return LateOutcome.NOTHING_NEW

    async def _give_back(self, funding: Funding, intent: Intent) -> None:
        charge_id, amount = intent.charge_id or "", intent.amount_received
        draft = RefundDraft(self._hiring.new_id(), funding.funding_id, charge_id, amount)
        refund = await give_back(self._hiring, self._refunds, draft)
        await ask(
            self._contracts.RecordRefundedCharge,
            contract_pb2.RecordRefundedChargeRequest(
                request_id=f"late-fact:{intent.intent_id}:refunded",
                contract_id=funding.contract_id,
                milestone_id=funding.milestone_id,
                charge=contract_pb2.Charge(
                    charge_id=charge_id,
                    payment_intent_id=intent.intent_id,
                    funding_id=funding.funding_id,
                    amount=money_pb2.Money(minor_units=amount, currency_code=intent.currency),
                ),
                refund_id=refund.provider_id,
            ),
        )
        refunded = FundingChange(
            funding.funding_id, FundingState.REFUNDED, intent.intent_id, charge_id
        )
        await late_facts.close_funding(self._hiring, refunded)

    async def _refund(self, provider_id: str) -> LateOutcome:
        refund = await self._refunds.read(provider_id)
        if not await late_facts.is_our_refund(self._hiring, provider_id, refund.refund_id):
            return LateOutcome.UNROUTABLE
        if not refund.failed:
            return LateOutcome.NOTHING_NEW
        await _ask_when_booked(
            self._contracts.RecordRefundFailed,
            contract_pb2.RecordRefundFailedRequest(
                request_id=f"late-fact:{provider_id}:failed", refund_id=provider_id
            ),
        )
        await late_facts.fail_refund(self._hiring, provider_id)
        return LateOutcome.BOOKED

    async def _dispute(self, dispute_id: str) -> LateOutcome:
        dispute = await self._disputes.read(dispute_id)
        if not await late_facts.is_our_charge(self._hiring, dispute.intent_id, dispute.charge_id):
            return LateOutcome.UNROUTABLE
        if dispute.status is DisputeStatus.INQUIRY:
            return LateOutcome.NOTHING_NEW
        await _ask_when_booked(self._contracts.RecordDispute, _dispute_request(dispute))
        return LateOutcome.BOOKED


async def _ask_when_booked(method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
    """Call; a charge or refund of ours that is not booked yet will be, so it is tried again."""
    try:
        return await ask(method, request)
    except ApplicationError as error:
        if error.type != "NOT_FOUND":
            raise
        raise ApplicationError("not booked yet", type="NOT_FOUND") from error


def _dispute_request(dispute: Dispute) -> contract_pb2.RecordDisputeRequest:
    return contract_pb2.RecordDisputeRequest(
        request_id=f"late-fact:{dispute.dispute_id}:{dispute.status.lower()}",
        dispute_id=dispute.dispute_id,
        charge_id=dispute.charge_id,
        amount=money_pb2.Money(minor_units=dispute.amount, currency_code=dispute.currency),
        state=contract_pb2.DisputeState.Value(f"DISPUTE_STATE_{dispute.status}"),
    )
