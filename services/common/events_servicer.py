"""EventsService over gRPC: what operators see of a process' events and may do about them."""

# ruff: noqa: N802, ARG002 - names and arguments of the methods are gRPC's

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.events.v1 import events_pb2, events_pb2_grpc
from services.common.auth import Kind, Principal, current_caller, require_kind
from services.common.bus import Bus
from services.common.database import Database
from services.common.dead_letters import DeadLetter, list_dead_letters, replay
from services.common.errors import Problems, problems
from services.common.idempotency import Request, Requests
from services.common.inbox import Subscription
from services.common.paging import Cursor
from services.common.rebuilding import Rebuilt, rebuild
from services.common.republishing import Republished, order_republishing
from services.common.server import Servicer
from services.common.telemetry import get_logger

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]
_REASON = re.compile(r"\w{1,64}", re.ASCII)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many dead letters are tried again."""

    number: int


class EventsServicer(events_pb2_grpc.EventsServiceServicer):
    """Answers for the schemas of a process; each consumer is given with its schema."""

    def __init__(
        self, database: Database, bus: Bus, schemas: Mapping[str, tuple[Subscription, ...]]
    ) -> None:
        self._database = database
        self._bus = bus
        self._schemas = sorted(schemas)
        heard = [(schema, each) for schema, all_ in schemas.items() for each in all_]
        self._schema_of = {each.consumer: schema for schema, each in heard}
        self._rebuilt = {each.consumer: each for _, each in heard if each.read_model}

    async def ListDeadLetters(
        self, request: events_pb2.ListDeadLettersRequest, context: Context
    ) -> events_pb2.ListDeadLettersResponse:
        """List what consumers of this process gave up."""
        operator = _operator()
        scope = ("dead letters", operator.id, request.consumer)
        with problems() as noted:
            if request.consumer:
                self._check_consumer(request.consumer, noted)
            cursor = Cursor.read(request.page_size, request.page_token, *scope, noted=noted)
        found = await self._dead_letters(request.consumer, cursor)
        page = cursor.page(found, lambda letter: (letter.consumer, letter.event_id))
        return events_pb2.ListDeadLettersResponse(
            dead_letters=[_message(each) for each in page.items], next_page_token=page.next_token
        )

    async def ReplayDeadLetters(
        self, request: events_pb2.ReplayDeadLettersRequest, context: Context
    ) -> events_pb2.ReplayDeadLettersResponse:
        """Try one or all of a consumer's dead letters again."""
        operator = _operator()
        with problems() as noted:
            Request.check(request, noted)
            self._check_consumer(request.consumer, noted)
            _check_reason(request.reason, noted)
        schema = self._schema_of[request.consumer]
        requests, asked = Requests(schema), Request.of(request)
        async with self._database.begin() as transaction:
            done = await requests.claim(transaction, operator, asked, Replayed)
            if done is None:
                number = await replay(transaction, schema, request.consumer, request.event_id)
                done = Replayed(number)
                await requests.answer(transaction, operator, asked, done)
        _log.warning(
            "dead letters replayed",
            consumer=request.consumer,
            event_id=request.event_id,
            number=done.number,
            reason=request.reason,
        )
        return events_pb2.ReplayDeadLettersResponse(replayed=done.number)

    async def RepublishEvents(
        self, request: events_pb2.RepublishEventsRequest, context: Context
    ) -> events_pb2.RepublishEventsResponse:
        """Send events of a schema to the stream again."""
        operator = _operator()
        with problems() as noted:
            Request.check(request, noted)
            known = ", ".join(self._schemas)
            noted.require(request.schema in self._schemas, "schema", f"must be one of: {known}")
            noted.require(request.after_position >= 0, "after_position", "must not be negative")
            since = _read_since(request, noted)
            _check_reason(request.reason, noted)
        requests, asked = Requests(request.schema), Request.of(request)
        async with self._database.begin() as transaction:
            done = await requests.claim(transaction, operator, asked, Republished)
            if done is None:
                done = await order_republishing(
                    transaction, request.schema, request.after_position, since
                )
                await requests.answer(transaction, operator, asked, done)
        _log.warning(
            "events republished",
            schema=request.schema,
            first_position=done.first_position,
            last_position=done.last_position,
            reason=request.reason,
        )
        answer = events_pb2.RepublishEventsResponse(
            first_position=done.first_position, last_position=done.last_position
        )
        if done.first_time is not None:
            answer.first_time.FromDatetime(done.first_time)
        return answer

    async def RebuildReadModel(
        self, request: events_pb2.RebuildReadModelRequest, context: Context
    ) -> events_pb2.RebuildReadModelResponse:
        """Empty a consumer's read model and have every event applied again."""
        operator = _operator()
        with problems() as noted:
            Request.check(request, noted)
            known = ", ".join(sorted(self._rebuilt)) or "none"
            must = f"must be a consumer of this process with a read model: {known}"
            noted.require(request.consumer in self._rebuilt, "consumer", must)
            _check_reason(request.reason, noted)
        schema, subscription = self._schema_of[request.consumer], self._rebuilt[request.consumer]
        requests, asked = Requests(schema), Request.of(request)
        async with self._database.begin() as transaction:
            done = await requests.claim(transaction, operator, asked, Rebuilt)
            if done is None:
                done = await rebuild(transaction, self._bus, schema, subscription)
                await requests.answer(transaction, operator, asked, done)
        _log.warning(
            "read model is rebuilt",
            consumer=request.consumer,
            aggregates=done.aggregates,
            reason=request.reason,
        )
        return events_pb2.RebuildReadModelResponse(aggregates=done.aggregates)

    async def _dead_letters(self, consumer: str, cursor: Cursor) -> list[DeadLetter]:
        names = [consumer] if consumer else sorted(self._schema_of)
        last, event_id = map(str, cursor.after) if len(cursor.after) == 2 else ("", "")
        found: list[DeadLetter] = []
        async with self._database.read() as connection:
            for name in names:
                left = cursor.limit - len(found)
                if name < last or not left:
                    continue
                after = event_id if name == last else ""
                found += await list_dead_letters(
                    connection, self._schema_of[name], name, after, left
                )
        return found

    def _check_consumer(self, consumer: str, noted: Problems) -> None:
        known = ", ".join(sorted(self._schema_of)) or "none"
        must = f"must be a consumer of this process: {known}"
        noted.require(consumer in self._schema_of, "consumer", must)


def events_service(
    database: Database, bus: Bus, schemas: Mapping[str, tuple[Subscription, ...]]
) -> Servicer:
    """Give the service for the schemas of a process, each with what it consumes."""
    name = events_pb2.DESCRIPTOR.services_by_name["EventsService"].full_name
    add = events_pb2_grpc.add_EventsServiceServicer_to_server
    return Servicer(add, EventsServicer(database, bus, schemas), name)


def _operator() -> Principal:
    """Give the caller, who must be an operator (Denied); every line of the log names him."""
    caller = current_caller()
    require_kind(caller, Kind.OPERATOR)
    return caller


def _check_reason(reason: str, noted: Problems) -> None:
    must = "must have 1 to 64 letters, digits and underscores"
    noted.require(_REASON.fullmatch(reason), "reason", must)


def _read_since(request: events_pb2.RepublishEventsRequest, noted: Problems) -> datetime | None:
    if not request.HasField("since"):
        return None
    try:
        return request.since.ToDatetime(UTC)
    except (ValueError, OverflowError):
        noted.add("since", "must be a time")
        return None


def _message(letter: DeadLetter) -> events_pb2.DeadLetter:
    message = events_pb2.DeadLetter(
        consumer=letter.consumer,
        event_id=letter.event_id,
        event_type=letter.event_type,
        aggregate_type=letter.aggregate_type,
        aggregate_id=letter.aggregate_id,
        version=letter.version,
        tries=letter.tries,
        reason=letter.reason,
        waiting=letter.waiting,
    )
    message.event_time.FromDatetime(letter.event_time)
    if letter.since is not None:
        message.since.FromDatetime(letter.since)
    return message
