"""What the steps of a hire do: ask the services and Stripe, then write the step and its event.

An activity may run twice, and one that timed out may still be running while its successor or its
undoing runs. So every request carries a key derived from the hire, every refusal is a value or a
named failure, and the local transaction at the end counts once per step number.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.type import date_pb2
from temporalio import activity
from temporalio.exceptions import ApplicationError

from hireflow.common.v1 import money_pb2
from hireflow.contracts.v1 import contract_pb2, contract_pb2_grpc
from hireflow.jobs.v1 import job_pb2, job_pb2_grpc
from hireflow.messaging.v1 import thread_pb2, thread_pb2_grpc
from hireflow.proposals.v1 import proposal_pb2, proposal_pb2_grpc
from services.common.remote_errors import error_of
from workflows.hire import steps
from workflows.hire.contract import HireTotals, Stage
from workflows.hire.failures import told
from workflows.hiring.domain import HireChanges, HireState, StepRecord, Terms
from workflows.hiring.use_cases.abandoned import begin_contract
from workflows.hiring.use_cases.steps import Hiring, record_step, terms_of

RPC_DEADLINE_SECONDS = 5.0
FINAL_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
}

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The services a hire asks, each under our own identity."""

    jobs: "job_pb2_grpc.JobsServiceAsyncStub"
    proposals: "proposal_pb2_grpc.ProposalsServiceAsyncStub"
    contracts: "contract_pb2_grpc.ContractsServiceAsyncStub"
    messaging: "thread_pb2_grpc.MessagingServiceAsyncStub"


async def ask(method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
    """Call a neighbour within the deadline of one try.

    A refusal becomes a final ApplicationError whose type is the ErrorInfo reason; an outcome that
    may change with time becomes one that Temporal tries again.
    """
    try:
        return await method(request, timeout=RPC_DEADLINE_SECONDS)
    except grpc.aio.AioRpcError as error:
        answer = error_of(error)
        raise ApplicationError(
            answer.message,
            type=answer.reason or answer.code.name,
            non_retryable=answer.code in FINAL_CODES,
        ) from error


class HireActivities:
    """The steps that concern our own services."""

    def __init__(self, hiring: Hiring, neighbours: Neighbours) -> None:
        self._hiring = hiring
        self._ask = neighbours

    def all(self) -> list[Callable[..., Any]]:
        """List the activities, for the worker."""
        return [
            self.reserve,
            self.create_contract,
            self.amend_contract,
            self.cancel_contract,
            self.release,
            self.activate_contract,
            self.open_thread,
            self.complete_hire,
            self.record_refunded_charge,
            self.block,
            self.refuse_terms,
        ]

    @activity.defn(name=steps.RESERVE.name)
    async def reserve(self, given: steps.ReserveInput) -> None:
        """Reserve the proposal first, then a position; a refusal of either ends the hire."""
        await ask(
            self._ask.proposals.ReserveProposal,
            proposal_pb2.ReserveProposalRequest(
                request_id=f"{given.key}:proposal",
                proposal_id=given.proposal_id,
                hire_id=given.step.hire_id,
                organisation_id=given.organisation_id,
                confirm_declined=given.confirm_declined,
            ),
        )
        await ask(
            self._ask.jobs.ReservePosition,
            job_pb2.ReservePositionRequest(
                request_id=f"{given.key}:position",
                job_id=given.job_id,
                hire_id=given.step.hire_id,
            ),
        )
        await self._record(given, Stage.PROPOSAL_REVIEW, "reserved")

    @activity.defn(name=steps.CREATE_CONTRACT.name)
    async def create_contract(self, given: steps.ContractInput) -> None:
        """Create the PENDING contract; its texts come from the hire's rows."""
        with told():
            terms = await begin_contract(
                self._hiring,
                given.step.hire_id,
                given.revision,
                contract_id=given.contract_id,
                milestone_id=given.milestone_id,
            )
        await ask(
            self._ask.contracts.CreateContract,
            contract_pb2.CreateContractRequest(
                request_id=given.key,
                contract_id=given.contract_id,
                milestone_id=given.milestone_id,
                organisation_id=given.organisation_id,
                trainer_id=given.trainer_id,
                job_id=given.job_id,
                proposal_id=given.proposal_id,
                hire_id=given.step.hire_id,
                milestone=_milestone(terms),
                quote=_quote(given.totals),
            ),
        )
        await self._record(given, Stage.CONTRACT_CREATION, "contract_created")

    @activity.defn(name=steps.AMEND_CONTRACT.name)
    async def amend_contract(self, given: steps.ContractInput) -> None:
        """Replace the terms of the PENDING contract by those of a newer revision."""
        terms = await terms_of(self._hiring, given.step.hire_id, given.revision)
        await ask(
            self._ask.contracts.AmendContract,
            contract_pb2.AmendContractRequest(
                request_id=given.key,
                contract_id=given.contract_id,
                milestone_id=given.milestone_id,
                milestone=_milestone(terms),
                quote=_quote(given.totals),
            ),
        )
        await self._record(
            given,
            Stage.CONTRACT_CREATION,
            "terms_superseded",
            HireChanges(accepted_revision=given.revision),
        )

    @activity.defn(name=steps.CANCEL_CONTRACT.name)
    async def cancel_contract(self, given: steps.CancelContractInput) -> None:
        """Cancel the contract; an unknown one is remembered and refused later."""
        await ask(
            self._ask.contracts.CancelContract,
            contract_pb2.CancelContractRequest(
                request_id=given.key, contract_id=given.contract_id, reason=given.end_reason
            ),
        )
        await self._record(given, Stage.UNDOING, "contract_cancelled")

    @activity.defn(name=steps.RELEASE.name)
    async def release(self, given: steps.ReleaseInput) -> None:
        """Give the position and the proposal back; with this step the hire ends undone."""
        await ask(
            self._ask.jobs.ReleasePosition,
            job_pb2.ReleasePositionRequest(
                request_id=f"{given.key}:position",
                job_id=given.job_id,
                hire_id=given.step.hire_id,
                contract_id=given.contract_id,
            ),
        )
        await ask(
            self._ask.proposals.ReleaseProposal,
            proposal_pb2.ReleaseProposalRequest(
                request_id=f"{given.key}:proposal",
                proposal_id=given.proposal_id,
                hire_id=given.step.hire_id,
                contract_id=given.contract_id,
            ),
        )
        await self._record(
            given,
            Stage.ENDED,
            "undone",
            HireChanges(state=HireState.UNDONE, end_reason=given.end_reason),
            refunded=given.refunded,
        )

    @activity.defn(name=steps.ACTIVATE_CONTRACT.name)
    async def activate_contract(self, given: steps.ActivateInput) -> None:
        """Book the charge and activate the contract, once per charge."""
        await ask(
            self._ask.contracts.ActivateContract,
            contract_pb2.ActivateContractRequest(
                request_id=given.key,
                contract_id=given.order.contract_id,
                milestone_id=given.order.milestone_id,
                charge=charge_message(given.order, given.intent_id, given.charge_id),
            ),
        )
        await self._record(given, Stage.CONTRACT_ACTIVATION, "contract_activated")

    @activity.defn(name=steps.OPEN_THREAD.name)
    async def open_thread(self, given: steps.OpenThreadInput) -> None:
        """Open the job thread with its first system message."""
        await ask(
            self._ask.messaging.OpenJobThread,
            thread_pb2.OpenJobThreadRequest(
                request_id=given.key,
                thread_id=given.thread_id,
                organisation_id=given.organisation_id,
                job_id=given.job_id,
                proposal_id=given.proposal_id,
                contract_id=given.contract_id,
                trainer_id=given.trainer_id,
            ),
        )
        await self._record(
            given, Stage.THREAD_CREATION, "thread_opened", HireChanges(thread_id=given.thread_id)
        )

    @activity.defn(name=steps.COMPLETE_HIRE.name)
    async def complete_hire(self, given: steps.CompleteInput) -> None:
        """Mark the proposal hired and fill the position; with this step the hire ends HIRED."""
        await ask(
            self._ask.proposals.MarkHired,
            proposal_pb2.MarkHiredRequest(
                request_id=f"{given.key}:proposal",
                proposal_id=given.proposal_id,
                hire_id=given.step.hire_id,
                contract_id=given.contract_id,
            ),
        )
        await ask(
            self._ask.jobs.FillPosition,
            job_pb2.FillPositionRequest(
                request_id=f"{given.key}:position",
                job_id=given.job_id,
                hire_id=given.step.hire_id,
                contract_id=given.contract_id,
            ),
        )
        await self._record(given, Stage.ENDED, "hired", HireChanges(state=HireState.HIRED))

    @activity.defn(name=steps.RECORD_REFUNDED_CHARGE.name)
    async def record_refunded_charge(self, given: steps.RecordRefundInput) -> None:
        """Book a charge that came after the cancel, and its refund."""
        await ask(
            self._ask.contracts.RecordRefundedCharge,
            contract_pb2.RecordRefundedChargeRequest(
                request_id=given.key,
                contract_id=given.order.contract_id,
                milestone_id=given.order.milestone_id,
                charge=charge_message(given.order, given.intent_id, given.charge_id),
                refund_id=given.provider_refund_id,
            ),
        )
        await self._record(given, Stage.UNDOING, "refund_booked")

    @activity.defn(name=steps.BLOCK.name)
    async def block(self, given: steps.BlockInput) -> None:
        """Record that an operator is needed, and why."""
        await self._record(
            given, Stage(given.stage), "blocked", HireChanges(blocked_reason=given.step.reason)
        )

    @activity.defn(name=steps.REFUSE_TERMS.name)
    async def refuse_terms(self, given: steps.RefuseTermsInput) -> None:
        """Record that offered terms came too late: the first are paid."""
        await self._record(
            given,
            Stage.FUNDING,
            "terms_refused",
            HireChanges(refused_revision=given.revision, refused_reason=given.step.reason),
        )

    async def _record(
        self,
        given: steps.StepInput,
        stage: Stage,
        what: str,
        changes: HireChanges | None = None,
        *,
        refunded: bool = False,
    ) -> None:
        record = StepRecord(
            hire_id=given.step.hire_id,
            number=given.step.number,
            stage=stage,
            what=what,
            reason=given.step.reason,
            actor=given.step.actor,
            time=self._hiring.clock(),
            changes=changes or HireChanges(),
            refunded=refunded,
        )
        with told():
            await record_step(self._hiring, record)


def _quote(totals: HireTotals) -> contract_pb2.Quote:
    return contract_pb2.Quote(
        amount_minor_units=totals.amount,
        marketplace_fee_minor_units=totals.marketplace_fee,
        contract_fee_minor_units=totals.contract_fee,
        total_minor_units=totals.total,
        currency_code=totals.currency,
    )


def _milestone(terms: Terms) -> contract_pb2.MilestoneTerms:
    due = terms.due_date
    return contract_pb2.MilestoneTerms(
        name=terms.name,
        scope=terms.scope,
        amount=money_pb2.Money(
            minor_units=terms.totals.amount, currency_code=terms.totals.currency
        ),
        due_date=date_pb2.Date(year=due.year, month=due.month, day=due.day) if due else None,
    )


def charge_message(
    order: steps.FundingOrder, intent_id: str, charge_id: str
) -> contract_pb2.Charge:
    """Write a charge as contracts are told of it."""
    return contract_pb2.Charge(
        charge_id=charge_id,
        payment_intent_id=intent_id,
        funding_id=order.funding_id,
        amount=money_pb2.Money(minor_units=order.totals.total, currency_code=order.totals.currency),
    )
