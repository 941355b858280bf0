"""OperationsService over gRPC: messages to arguments, use case, answer to message.

Who may call comes first, then every bad field at once, then the work.
"""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

from datetime import UTC, datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.hiring.v1 import hire_pb2, operations_pb2, operations_pb2_grpc
from services.common.auth import current_caller
from services.common.errors import Problems, problems
from services.common.idempotency import Request
from services.common.paging import Cursor
from workflows.hire.contract import (
    DeadlineExtension,
    OperatorActor,
    OperatorOrder,
    OperatorVerb,
)
from workflows.hiring.use_cases import operating
from workflows.hiring.use_cases.access import Operator, as_operator
from workflows.hiring.use_cases.desk import Desk
from workflows.hiring.use_cases.operating import Order
from workflows.hiring.wire import (
    check_reason,
    hire_message,
    patience_of,
    read_waits_on,
    stuck_message,
    timeline_message,
)

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
OrderRequest: TypeAlias = (
    operations_pb2.RetryHireStepRequest
    | operations_pb2.SkipHireThreadRequest
    | operations_pb2.RefundHireRequest
    | operations_pb2.ExtendHireDeadlineRequest
)

_EPOCH = datetime.fromtimestamp(0, UTC)


class OperationsServicer(operations_pb2_grpc.OperationsServiceServicer):
    """Answers the calls of OperationsService; `answer_wait` is in seconds."""

    def __init__(self, desk: Desk, answer_wait: float) -> None:
        self._desk = desk
        self._answer_wait = answer_wait

    async def ListStuckHires(
        self, request: operations_pb2.ListStuckHiresRequest, context: Context
    ) -> operations_pb2.ListStuckHiresResponse:
        """List the running hires that wait or make no progress."""
        operator = as_operator(current_caller())
        with problems() as noted:
            waits_on = read_waits_on(request.waits_on, noted)
        scope = ("stuck", operator.actor.id, *sorted(waits_on))
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        page = await operating.list_stuck(self._desk.hiring, operator, waits_on, cursor)
        return operations_pb2.ListStuckHiresResponse(
            hires=[stuck_message(told) for told in page.items], next_page_token=page.next_token
        )

    async def GetHireTimeline(
        self, request: operations_pb2.GetHireTimelineRequest, context: Context
    ) -> operations_pb2.GetHireTimelineResponse:
        """Tell the story of one hire."""
        operator = as_operator(current_caller())
        with problems() as noted:
            noted.require_id("hire_id", request.hire_id)
        scope = ("timeline", operator.actor.id, request.hire_id)
        cursor = Cursor.read(request.page_size, request.page_token, *scope)
        told, page = await operating.tell_story(
            self._desk.hiring, operator, request.hire_id, cursor
        )
        return operations_pb2.GetHireTimelineResponse(
            hire=hire_message(told),
            entries=[timeline_message(step) for step in page.items],
            next_page_token=page.next_token,
        )

    async def RetryHireStep(
        self, request: operations_pb2.RetryHireStepRequest, context: Context
    ) -> operations_pb2.RetryHireStepResponse:
        """Try a blocked step again."""
        hire = await self._order(as_operator(current_caller()), request, OperatorVerb.RETRY_STEP)
        return operations_pb2.RetryHireStepResponse(hire=hire)

    async def SkipHireThread(
        self, request: operations_pb2.SkipHireThreadRequest, context: Context
    ) -> operations_pb2.SkipHireThreadResponse:
        """Let a hire go on without its thread."""
        hire = await self._order(as_operator(current_caller()), request, OperatorVerb.SKIP_THREAD)
        return operations_pb2.SkipHireThreadResponse(hire=hire)

    async def RefundHire(
        self, request: operations_pb2.RefundHireRequest, context: Context
    ) -> operations_pb2.RefundHireResponse:
        """Give everything back."""
        operator = as_operator(current_caller())
        hire = await self._order(operator, request, OperatorVerb.REFUND_IN_FULL)
        return operations_pb2.RefundHireResponse(hire=hire)

    async def ExtendHireDeadline(
        self, request: operations_pb2.ExtendHireDeadlineRequest, context: Context
    ) -> operations_pb2.ExtendHireDeadlineResponse:
        """Give the client longer to pay."""
        operator = as_operator(current_caller())
        with problems() as noted:
            _check_order(request, noted)
            deadline = _read_deadline(request, noted)
        extension = DeadlineExtension(
            reason=request.reason, actor=_actor(operator), deadline=deadline
        )
        order = Order(request.hire_id, OperatorVerb.EXTEND_DEADLINE, extension)
        hire = await self._give(operator, request, order)
        return operations_pb2.ExtendHireDeadlineResponse(hire=hire)

    async def _order(
        self, operator: Operator, request: OrderRequest, verb: OperatorVerb
    ) -> hire_pb2.Hire:
        with problems() as noted:
            _check_order(request, noted)
        given = OperatorOrder(reason=request.reason, actor=_actor(operator))
        return await self._give(operator, request, Order(request.hire_id, verb, given))

    async def _give(self, operator: Operator, request: OrderRequest, order: Order) -> hire_pb2.Hire:
        told = await operating.give_order(
            self._desk,
            operator,
            Request.of(request),
            order,
            lambda: patience_of(self._answer_wait),
        )
        return hire_message(told)


def _actor(operator: Operator) -> OperatorActor:
    return OperatorActor(id=operator.actor.id)


def _read_deadline(request: operations_pb2.ExtendHireDeadlineRequest, noted: Problems) -> datetime:
    try:
        deadline = request.wait_deadline.ToDatetime(UTC)
    except (ValueError, OverflowError):
        deadline = datetime.min.replace(tzinfo=UTC)
    noted.require(deadline > _EPOCH, "wait_deadline", "must be a time to come")
    return deadline


def _check_order(request: OrderRequest, noted: Problems) -> None:
    Request.check(request, noted)
    noted.require_id("hire_id", request.hire_id)
    check_reason(request.reason, noted)
