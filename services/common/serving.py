"""What surrounds every call: identity, deadline, errors as statuses, one log line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio
import structlog
from google.rpc import (
    error_details_pb2,
    status_pb2,
)

from services.common import errors
from services.common.auth import set_caller
from services.common.metrics import CALL_SECONDS, METER
from services.common.settings import Settings
from services.common.stop_points import stop_point
from services.common.telemetry import current_trace_id, get_logger
from services.common.tokens import Verifier

_OPEN_TO_ALL = ("/grpc.health.v1.", "/grpc.reflection.")
_CODES: dict[type[errors.HireflowError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.Refused: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.Denied: grpc.StatusCode.PERMISSION_DENIED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# In bytes. A client takes 8 KiB of trailing metadata, in which a status counts by its base64 and a
# message by three bytes for each that is not ASCII; of more it shows neither.
_LONGEST_STATUS, _LONGEST_MESSAGE, _LONGEST_TEXT = 4500, 500, 300
# What the last violation and the packing take, and what each violation has around it.
_OF_THE_REST, _AROUND_A_FIELD = 150, 3
_DURATION = METER.create_histogram(
    "rpc.server.call.duration",
    unit="s",
    description="Duration of a call served; of a stream, until its end.",
    explicit_bucket_boundaries_advisory=CALL_SECONDS,
)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_log = get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
# Generic in its stubs alone.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


def remaining_deadline() -> float | None:
    """Give the seconds left to the call being served; None outside of one."""
    end = _deadline.get()
    return None if end is None else max(0.0, end - time.monotonic())


class Surroundings(grpc.aio.ServerInterceptor):
    """The one interceptor: unary calls and server streams alike.

    Attributes:
        refused: services whose calls are refused now, and why.

    """

    def __init__(self, settings: Settings, verifier: Verifier) -> None:
        self.refused: Mapping[str, errors.Behind] = {}
        self._settings = settings
        self._verifier = verifier
        self._streams: set[asyncio.Task[Any]] = set()
        self._stopping = False

    def end_streams(self) -> None:
        """End running streams as UNAVAILABLE: a watcher resumes elsewhere from its token."""
        self._stopping = True
        for stream in self._streams:
            stream.cancel()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of every method but health and reflection."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(_OPEN_TO_ALL):
            return handler
        codecs = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary is not None:
            unary = self._unary(method, handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(unary, **codecs)
        if handler.unary_stream is not None:
            stream = self._stream(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, **codecs)
        raise TypeError(f"{method} streams requests, which no method of ours does")

    def _unary(self, method: str, behaviour: Any) -> Any:  # noqa: ANN401 - generated, untyped
        name = method.rpartition("/")[2]

        async def call(request: Any, context: Context) -> Any:  # noqa: ANN401 - any message
            with _logged(method) as outcome:
                try:
                    async with self._limit(context, self._settings.call_deadline):
                        await self._authenticate(context)
                        self._require_up_to_date(method)
                        await stop_point(f"{name}.before", request)
                        answer = await behaviour(request, context)
                        await stop_point(f"{name}.after", request)
                        return answer
                except Exception as error:  # noqa: BLE001 - each becomes one status
                    await _abort(context, method, error, outcome)

        return call

    def _stream(self, method: str, behaviour: Any) -> Any:  # noqa: ANN401 - generated, untyped
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:  # noqa: ANN401
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - a coroutine runs in a task
            self._streams.add(task)
            with _logged(method) as outcome:
                try:
                    async with self._limit(context, self._settings.stream_deadline):
                        await self._authenticate(context)
                        self._require_up_to_date(method)
                        async for response in behaviour(request, context):
                            yield response
                except asyncio.CancelledError:
                    if not self._stopping:
                        raise
                    task.uncancel()
                    message = "this server is stopping: resume the stream"
                    stopping = errors.Unavailable("DEPENDENCY_UNAVAILABLE", message)
                    await _abort(context, method, stopping, outcome)
                except Exception as error:  # noqa: BLE001 - each becomes one status
                    await _abort(context, method, error, outcome)
                finally:
                    self._streams.discard(task)

        return call

    def _limit(self, context: Context, default: float) -> asyncio.Timeout:
        """Bound the call by its caller's deadline, or by ours if he has none."""
        remaining = cast("float | None", context.time_remaining())
        seconds = default if remaining is None else min(remaining, self._settings.stream_deadline)
        _deadline.set(time.monotonic() + seconds)
        return asyncio.timeout(seconds)

    def _require_up_to_date(self, method: str) -> None:
        if (told := self.refused.get(method.split("/")[1])) is not None:
            raise errors.Behind(told.reason, told.message, metadata=told.metadata)

    async def _authenticate(self, context: Context) -> None:
        metadata = dict(context.invocation_metadata() or ())
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "send a bearer token as the metadata `authorization: Bearer …`"
            raise errors.Unauthenticated("TOKEN_INVALID", message)
        principal = await self._verifier.verify(token.strip())
        set_caller(principal)
        structlog.contextvars.bind_contextvars(caller=f"{principal.kind}/{principal.id}")


@contextmanager
def _logged(method: str) -> Iterator[dict[str, str]]:
    started = time.monotonic()
    outcome = {"code": "OK"}
    try:
        yield outcome
    except asyncio.CancelledError:
        outcome["code"] = "CANCELLED"
        raise
    finally:
        spent = time.monotonic() - started
        _log.info("call", method=method, milliseconds=round(spent * 1000, 1), **outcome)
        labels = {"rpc.system.name": "grpc", "rpc.method": method.removeprefix("/")}
        _DURATION.record(spent, {**labels, "rpc.response.status_code": outcome["code"]})


async def _abort(context: Context, method: str, error: Exception, outcome: dict[str, str]) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    code, told = _told(error)
    if code is grpc.StatusCode.INTERNAL:
        _log.error("unexpected error", method=method, exc_info=error)
    outcome |= {"code": code.name, "reason": told.reason}
    status = _status(code, told)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    try:
        await context.abort(code, status.message, trailing_metadata=details)
    except grpc.aio.AbortError as abort:
        # The call's span notes, at length, what it raises: the cause is for the logs alone.
        raise abort.with_traceback(None) from None


def _told(error: Exception) -> tuple[grpc.StatusCode, errors.HireflowError]:
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code, error
    if isinstance(error, TimeoutError):
        message = "the deadline passed before the work was done: repeat the call"
        return grpc.StatusCode.DEADLINE_EXCEEDED, errors.HireflowError("DEADLINE_EXCEEDED", message)
    # Whatever else it is, its text may hold anything: it stays in the logs.
    message = "an error of ours: tell us the trace id"
    return grpc.StatusCode.INTERNAL, errors.HireflowError("INTERNAL", message)


def _status(code: grpc.StatusCode, error: errors.HireflowError) -> status_pb2.Status:
    message = _cut(error.message, _LONGEST_MESSAGE)
    status = status_pb2.Status(code=code.value[0], message=message)
    facts = {name: _cut(value) for name, value in error.metadata.items()}
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=errors.DOMAIN, metadata=facts)
    status.details.add().Pack(info)
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=current_trace_id()))
    if error.violations:
        status.details.add().Pack(_bad_request(error, _LONGEST_STATUS - status.ByteSize()))
    return status


def _bad_request(error: errors.HireflowError, longest: int) -> error_details_pb2.BadRequest:
    """Name as many wrong fields as the bytes allow, and then how many more there are."""
    told = error_details_pb2.BadRequest()
    left = longest - _OF_THE_REST
    for each in error.violations:
        field = told.field_violations.add(
            field=_cut(each.field), description=_cut(each.description)
        )
        left -= field.ByteSize() + _AROUND_A_FIELD
        if left < 0:
            told.field_violations.pop()
            break
    if more := len(error.violations) - len(told.field_violations) + error.untold:
        told.field_violations.add(description=f"and {more} more: mend these first")
    return told


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    whole = text.encode()
    if len(whole) <= longest:
        return text
    return whole[: longest - len("…".encode())].decode(errors="ignore") + "…"
