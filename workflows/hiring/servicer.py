"""HiringService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.hiring.v1 import hire_pb2, hire_pb2_grpc
from services.common.auth import Principal, current_caller, may_move_money
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from services.common.resume import read_token, write_token
from workflows.hiring.domain import ToldHire, Wish
from workflows.hiring.store.hires import Wanted
from workflows.hiring.use_cases import (
    payment_methods,
    quoting,
    reading,
    starting,
    steering,
)
from workflows.hiring.use_cases.access import (
    as_human_member,
    as_member,
    as_payer,
    as_reader,
    as_starter,
)
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.starting import StartOrder
from workflows.hiring.wire import (
    check_method_id,
    check_reason,
    hire_message,
    method_message,
    patience_of,
    precondition_message,
    quote_message,
    read_milestone,
    read_payment,
    read_states,
    step_message,
)

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class HiringServicer(hire_pb2_grpc.HiringServiceServicer):
    """Answers the calls of HiringService; `answer_wait` is in seconds."""

    def __init__(self, desk: Desk, answer_wait: float) -> None:
        self._desk = desk
        self._answer_wait = answer_wait

    async def QuoteHire(
        self, request: hire_pb2.QuoteHireRequest, context: Context
    ) -> hire_pb2.QuoteHireResponse:
        """Tell what a hire would cost and whether it could start."""
        caller = as_reader(current_caller())
        unreadable = Problems()
        with problems() as noted:
            noted.require_id("proposal_id", request.proposal_id)
        milestone = read_milestone(request.milestone, unreadable)
        quote = await quoting.quote_hire(
            self._desk, caller, request.proposal_id, milestone, unreadable
        )
        return hire_pb2.QuoteHireResponse(
            quote=quote_message(quote.totals) if quote.totals else None,
            preconditions=[precondition_message(each) for each in quote.conditions],
        )

    async def StartHire(
        self, request: hire_pb2.StartHireRequest, context: Context
    ) -> hire_pb2.StartHireResponse:
        """Start a hire, attach to it, or offer it other terms."""
        starter = as_starter(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("proposal_id", request.proposal_id)
            milestone = read_milestone(request.milestone, noted)
            milestone.check(noted)
            positive = request.expected_total_minor_units > 0
            noted.require(positive, "expected_total_minor_units", "must be the total of a quote")
            payment = read_payment(request, noted)
        order = StartOrder(
            request=Request.of(request),
            wish=Wish(request.proposal_id, milestone, request.confirm_declined),
            expected_total=request.expected_total_minor_units,
            payment=payment,
        )
        told = await starting.start_hire(self._desk, starter, order, self._patience)
        return hire_pb2.StartHireResponse(
            hire=hire_message(told), client_secret=await self._secret(starter.principal, told)
        )

    async def GetHire(
        self, request: hire_pb2.GetHireRequest, context: Context
    ) -> hire_pb2.GetHireResponse:
        """Read one hire."""
        caller = as_reader(current_caller())
        _check_hire_id(request.hire_id)
        told = await reading.get_hire(self._desk.hiring, caller, request.hire_id)
        return hire_pb2.GetHireResponse(
            hire=hire_message(told), client_secret=await self._secret(caller, told)
        )

    async def WatchHire(
        self, request: hire_pb2.WatchHireRequest, context: Context
    ) -> AsyncIterator[hire_pb2.WatchHireResponse]:
        """Stream the hire's steps until it ends."""
        caller = as_reader(current_caller())
        _check_hire_id(request.hire_id)
        after = read_token(caller, request.hire_id, request.resume_token)
        story = reading.watch_hire(self._desk.hiring, caller, request.hire_id, after)
        async with aclosing(story) as steps:
            async for each in steps:
                yield hire_pb2.WatchHireResponse(
                    hire=hire_message(each.told),
                    step=step_message(each.step),
                    resume_token=write_token(caller, request.hire_id, each.step.number),
                )

    async def ListHires(
        self, request: hire_pb2.ListHiresRequest, context: Context
    ) -> hire_pb2.ListHiresResponse:
        """List an organisation's hires, newest first."""
        caller = as_reader(current_caller())
        organisation_id = request.organisation_id or caller.organisation_id or ""
        with problems() as noted:
            noted.require_id("organisation_id", organisation_id)
            for field in ("job_id", "proposal_id"):
                if value := getattr(request, field):
                    noted.require_id(field, value)
            states = read_states(request.states, noted)
        wanted = Wanted(organisation_id, request.job_id, request.proposal_id, states)
        filters = (organisation_id, request.job_id, request.proposal_id, *sorted(states))
        scope = (caller.kind, caller.id, *filters)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await reading.list_hires(self._desk.hiring, caller, wanted, cursor)
        return hire_pb2.ListHiresResponse(
            hires=[hire_message(told) for told in page.items], next_page_token=page.next_token
        )

    async def RetryPayment(
        self, request: hire_pb2.RetryPaymentRequest, context: Context
    ) -> hire_pb2.RetryPaymentResponse:
        """Try the payment again."""
        payer = as_payer(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("hire_id", request.hire_id)
            payment = read_payment(request, noted)
        told = await steering.retry_payment(
            self._desk,
            payer,
            Request.of(request),
            request.hire_id,
            payment=payment,
            patience=self._patience,
        )
        return hire_pb2.RetryPaymentResponse(
            hire=hire_message(told), client_secret=await self._secret(payer.principal, told)
        )

    async def CancelHire(
        self, request: hire_pb2.CancelHireRequest, context: Context
    ) -> hire_pb2.CancelHireResponse:
        """Cancel a hire before its payment succeeded."""
        member = as_member(current_caller())
        with problems() as noted:
            Request.check(request, noted)
            noted.require_id("hire_id", request.hire_id)
            check_reason(request.reason, noted)
        told = await steering.cancel_hire(
            self._desk, member, Request.of(request), request.hire_id, request.reason
        )
        return hire_pb2.CancelHireResponse(hire=hire_message(told))

    async def ApproveHire(
        self, request: hire_pb2.ApproveHireRequest, context: Context
    ) -> hire_pb2.ApproveHireResponse:
        """Refuse: approvals are not offered yet."""
        payer = as_payer(current_caller())
        _check_approval(request)
        await steering.refuse_approval(self._desk, payer, request.hire_id)
        return hire_pb2.ApproveHireResponse()

    async def DeclineHire(
        self, request: hire_pb2.DeclineHireRequest, context: Context
    ) -> hire_pb2.DeclineHireResponse:
        """Refuse: approvals are not offered yet."""
        member = as_human_member(current_caller())
        _check_approval(request)
        await steering.refuse_approval(self._desk, member, request.hire_id)
        return hire_pb2.DeclineHireResponse()

    async def CreatePaymentSetup(
        self, request: hire_pb2.CreatePaymentSetupRequest, context: Context
    ) -> hire_pb2.CreatePaymentSetupResponse:
        """Begin saving a payment method."""
        payer = as_payer(current_caller())
        setup = await payment_methods.create_setup(self._desk, payer, Request.of(request))
        return hire_pb2.CreatePaymentSetupResponse(
            setup_intent_id=setup.setup_id, client_secret=setup.client_secret
        )

    async def ListPaymentMethods(
        self, request: hire_pb2.ListPaymentMethodsRequest, context: Context
    ) -> hire_pb2.ListPaymentMethodsResponse:
        """List the organisation's saved payment methods."""
        member = as_member(current_caller())
        listed = await payment_methods.list_methods(self._desk, member)
        return hire_pb2.ListPaymentMethodsResponse(
            payment_methods=[method_message(each) for each in listed]
        )

    async def SetDefaultPaymentMethod(
        self, request: hire_pb2.SetDefaultPaymentMethodRequest, context: Context
    ) -> hire_pb2.SetDefaultPaymentMethodResponse:
        """Choose the method that is charged when none is named."""
        payer = as_payer(current_caller())
        _check_method(request)
        chosen = await payment_methods.set_default(
            self._desk, payer, Request.of(request), request.payment_method_id
        )
        return hire_pb2.SetDefaultPaymentMethodResponse(payment_method=method_message(chosen))

    async def RemovePaymentMethod(
        self, request: hire_pb2.RemovePaymentMethodRequest, context: Context
    ) -> hire_pb2.RemovePaymentMethodResponse:
        """Forget a saved payment method."""
        payer = as_payer(current_caller())
        _check_method(request)
        await payment_methods.remove_method(
            self._desk, payer, Request.of(request), request.payment_method_id
        )
        return hire_pb2.RemovePaymentMethodResponse()

    def _patience(self) -> float:
        return patience_of(self._answer_wait)

    async def _secret(self, caller: Principal, told: ToldHire) -> str:
        if not may_move_money(caller):
            return ""
        return await payment_methods.client_secret(self._desk, told.hire)


def _check_hire_id(hire_id: str) -> None:
    with problems() as noted:
        noted.require_id("hire_id", hire_id)


def _check_approval(request: hire_pb2.ApproveHireRequest | hire_pb2.DeclineHireRequest) -> None:
    with problems() as noted:
        Request.check(request, noted)
        noted.require_id("hire_id", request.hire_id)
        noted.require_id("approval_id", request.approval_id)


def _check_method(
    request: hire_pb2.SetDefaultPaymentMethodRequest | hire_pb2.RemovePaymentMethodRequest,
) -> None:
    with problems() as noted:
        Request.check(request, noted)
        check_method_id(request.payment_method_id, noted)
