"""ContractsService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.contracts.v1 import contract_pb2 as pb
from hireflow.contracts.v1 import contract_pb2_grpc
from services.common.auth import Kind, current_caller
from services.common.database import Database
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.contracts.domain import Contract, Fees, Parties, RecordedCharge, check_amount
from services.contracts.use_cases import (
    charging,
    forming,
    late_facts,
    reading,
    refunding,
    verifying,
)
from services.contracts.use_cases.access import (
    as_auditor,
    as_book_reader,
    as_hire_workflow,
    sees_costs,
)
from services.contracts.use_cases.refunding import Refund
from services.contracts.wire import (
    STRIPE_ID_LIMIT,
    check_filter,
    contract_message,
    entry_message,
    finding_message,
    invoice_message,
    quote_message,
    read_charge,
    read_dispute,
    read_quote,
    read_states,
    read_terms,
)

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
MilestoneRequest: TypeAlias = (
    pb.AmendContractRequest
    | pb.ActivateContractRequest
    | pb.RecordRefundedChargeRequest
    | pb.RefundContractRequest
)
_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class ContractsServicer(contract_pb2_grpc.ContractsServiceServicer):
    """Answers the calls of ContractsService. Time, new ids and the fees come from outside."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        fees: Fees,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._fees = fees

    async def QuoteMilestone(
        self, request: pb.QuoteMilestoneRequest, context: Context
    ) -> pb.QuoteMilestoneResponse:
        """Compute what a milestone costs."""
        caller = as_book_reader(current_caller())
        amount = request.amount
        with problems() as noted:
            check_amount(noted, "amount", amount.minor_units, amount.currency_code)
            check_filter("contract_id", request.contract_id, noted)
        quote = await reading.quote_milestone(
            self._database,
            caller,
            self._fees,
            amount=amount.minor_units,
            currency=amount.currency_code,
            contract_id=request.contract_id,
        )
        return pb.QuoteMilestoneResponse(quote=quote_message(quote))

    async def GetContract(
        self, request: pb.GetContractRequest, context: Context
    ) -> pb.GetContractResponse:
        """Read one contract."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("contract_id", request.contract_id)
        contract = await reading.get_contract(self._database, caller, request.contract_id)
        message = contract_message(contract, with_costs=sees_costs(caller))
        return pb.GetContractResponse(contract=message)

    async def ListContracts(
        self, request: pb.ListContractsRequest, context: Context
    ) -> pb.ListContractsResponse:
        """List contracts, newest first."""
        caller = current_caller()
        organisation_id = request.organisation_id or caller.organisation_id or ""
        with problems() as noted:
            if caller.kind is not Kind.TRAINER:
                noted.require_id("organisation_id", organisation_id)
            check_filter("organisation_id", request.organisation_id, noted)
            check_filter("job_id", request.job_id, noted)
            states = read_states(request.states, noted)
        scope = (caller.kind, caller.id, organisation_id, request.job_id, *sorted(states))
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_contracts(
            self._database,
            caller,
            cursor,
            organisation_id=organisation_id,
            job_id=request.job_id,
            states=states,
        )
        costs = sees_costs(caller)
        rows = [contract_message(contract, with_costs=costs) for contract in page.items]
        return pb.ListContractsResponse(contracts=rows, next_page_token=page.next_token)

    async def GetInvoice(
        self, request: pb.GetInvoiceRequest, context: Context
    ) -> pb.GetInvoiceResponse:
        """Read one paper."""
        with problems() as noted:
            noted.require_id("invoice_id", request.invoice_id)
        invoice = await reading.get_invoice(self._database, current_caller(), request.invoice_id)
        return pb.GetInvoiceResponse(invoice=invoice_message(invoice))

    async def ListInvoices(
        self, request: pb.ListInvoicesRequest, context: Context
    ) -> pb.ListInvoicesResponse:
        """List a contract's papers."""
        caller = current_caller()
        with problems() as noted:
            noted.require_id("contract_id", request.contract_id)
        scope = ("invoices", caller.kind, caller.id, request.contract_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_invoices(self._database, caller, request.contract_id, cursor)
        rows = [invoice_message(invoice) for invoice in page.items]
        return pb.ListInvoicesResponse(invoices=rows, next_page_token=page.next_token)

    async def ListLedgerEntries(
        self, request: pb.ListLedgerEntriesRequest, context: Context
    ) -> pb.ListLedgerEntriesResponse:
        """List a contract's ledger."""
        caller = as_book_reader(current_caller())
        with problems() as noted:
            noted.require_id("contract_id", request.contract_id)
        scope = ("ledger", caller.kind, caller.id, request.contract_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_ledger_entries(
            self._database, caller, request.contract_id, cursor
        )
        rows = [entry_message(entry) for entry in page.items]
        return pb.ListLedgerEntriesResponse(entries=rows, next_page_token=page.next_token)

    async def CreateContract(
        self, request: pb.CreateContractRequest, context: Context
    ) -> pb.CreateContractResponse:
        """Write down what a hire agreed."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            for field in ("contract_id", "milestone_id", *_PARTIES):
                noted.require_id(field, getattr(request, field))
            terms = read_terms(request.milestone, noted)
            quote = read_quote(request.quote, terms, noted)
        proposed = Contract.propose(
            request.contract_id,
            Parties(**{field: getattr(request, field) for field in _PARTIES}),
            milestone_id=request.milestone_id,
            terms=terms,
            quote=quote,
            now=self._clock(),
        )
        contract = await forming.create_contract(
            self._database, caller, Request.of(request), proposed
        )
        return pb.CreateContractResponse(contract=contract_message(contract))

    async def AmendContract(
        self, request: pb.AmendContractRequest, context: Context
    ) -> pb.AmendContractResponse:
        """Replace what was agreed, while nothing is paid."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_milestone(request, noted)
            terms = read_terms(request.milestone, noted)
            quote = read_quote(request.quote, terms, noted)
        contract = await forming.amend_contract(
            self._database,
            caller,
            Request.of(request),
            contract_id=request.contract_id,
            milestone_id=request.milestone_id,
            terms=terms,
            quote=quote,
            now=self._clock(),
        )
        return pb.AmendContractResponse(contract=contract_message(contract))

    async def CancelContract(
        self, request: pb.CancelContractRequest, context: Context
    ) -> pb.CancelContractResponse:
        """Give up a contract that is not paid."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("contract_id", request.contract_id)
            _check_reason(request.reason, noted)
        cancelled = await forming.cancel_contract(
            self._database,
            caller,
            Request.of(request),
            contract_id=request.contract_id,
            reason=request.reason,
            now=self._clock(),
        )
        return pb.CancelContractResponse(cancelled=cancelled)

    async def ActivateContract(
        self, request: pb.ActivateContractRequest, context: Context
    ) -> pb.ActivateContractResponse:
        """Book a charge and begin the contract."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_milestone(request, noted)
            charge = read_charge(request.charge, noted)
        activated = await charging.activate_contract(
            self._database,
            caller,
            Request.of(request),
            RecordedCharge(charge, request.contract_id, request.milestone_id),
            invoice_id=self._new_id(),
            now=self._clock(),
        )
        return pb.ActivateContractResponse(
            contract=contract_message(activated.contract),
            invoice=invoice_message(activated.invoice),
        )

    async def RecordRefundedCharge(
        self, request: pb.RecordRefundedChargeRequest, context: Context
    ) -> pb.RecordRefundedChargeResponse:
        """Book a charge that came too late, and its refund."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_milestone(request, noted)
            charge = read_charge(request.charge, noted)
            noted.require_id("refund_id", request.refund_id, limit=STRIPE_ID_LIMIT)
        contract = await charging.record_refunded_charge(
            self._database,
            caller,
            Request.of(request),
            RecordedCharge(charge, request.contract_id, request.milestone_id, request.refund_id),
            now=self._clock(),
        )
        return pb.RecordRefundedChargeResponse(contract=contract_message(contract))

    async def RefundContract(
        self, request: pb.RefundContractRequest, context: Context
    ) -> pb.RefundContractResponse:
        """Book a full refund and close its contract."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            _check_milestone(request, noted)
            charge = read_charge(request.charge, noted)
            noted.require_id("refund_id", request.refund_id, limit=STRIPE_ID_LIMIT)
            _check_reason(request.reason, noted)
        recorded = RecordedCharge(
            charge, request.contract_id, request.milestone_id, request.refund_id
        )
        refunded = await refunding.refund_contract(
            self._database,
            caller,
            Request.of(request),
            Refund(recorded, request.reason, credit_note_id=self._new_id()),
            now=self._clock(),
        )
        note = refunded.credit_note
        return pb.RefundContractResponse(
            contract=contract_message(refunded.contract),
            credit_note=invoice_message(note) if note else None,
        )

    async def RecordRefundFailed(
        self, request: pb.RecordRefundFailedRequest, context: Context
    ) -> pb.RecordRefundFailedResponse:
        """Take a refund's postings back."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("refund_id", request.refund_id, limit=STRIPE_ID_LIMIT)
        contract = await late_facts.record_refund_failed(
            self._database, caller, Request.of(request), request.refund_id, now=self._clock()
        )
        return pb.RecordRefundFailedResponse(contract=contract_message(contract))

    async def RecordDispute(
        self, request: pb.RecordDisputeRequest, context: Context
    ) -> pb.RecordDisputeResponse:
        """Book how a dispute stands."""
        caller = as_hire_workflow(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            dispute = read_dispute(request, noted)
        contract = await late_facts.record_dispute(
            self._database, caller, Request.of(request), dispute, now=self._clock()
        )
        return pb.RecordDisputeResponse(contract=contract_message(contract))

    async def VerifyLedger(
        self, request: pb.VerifyLedgerRequest, context: Context
    ) -> pb.VerifyLedgerResponse:
        """Prove a page of ledgers."""
        caller = as_auditor(current_caller())
        with problems() as noted:
            check_filter("contract_id", request.contract_id, noted)
            check_filter("organisation_id", request.organisation_id, noted)
        scope = ("verify", request.contract_id, request.organisation_id)
        verified = await verifying.verify_ledger(
            self._database,
            caller,
            Cursor.read(request.page_size, request.page_token, *scope),
            contract_id=request.contract_id,
            organisation_id=request.organisation_id,
        )
        return pb.VerifyLedgerResponse(
            contracts=verified.contracts,
            findings=[finding_message(finding) for finding in verified.findings],
            next_page_token=verified.next_token,
        )


_PARTIES = ("organisation_id", "trainer_id", "job_id", "proposal_id", "hire_id")


def _check_reason(reason: str, noted: Problems) -> None:
    named = _REASON.fullmatch(reason)
    noted.require(named, "reason", "must be the name of a reason, such as HIRE_CANCELLED")


def _check_milestone(request: MilestoneRequest, noted: Problems) -> None:
    Request.check(request, noted)
    noted.require_id("contract_id", request.contract_id)
    noted.require_id("milestone_id", request.milestone_id)
