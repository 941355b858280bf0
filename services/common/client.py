"""Channels to neighbours: our identity, and what is left of the deadline."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from opentelemetry.instrumentation.grpc import aio_client_interceptors

from services.common.serving import remaining_deadline
from services.common.settings import Settings
from services.common.tokens import ServiceIdentity

# Only what certainly was not begun, and only briefly: whoever calls retries with more patience.
_SERVICE_CONFIG = """{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
    "initialBackoff": "0.1s", "maxBackoff": "0.4s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""


@asynccontextmanager
async def open_channel(
    settings: Settings, identity: ServiceIdentity, address: str, *, timeout: float = 5.0
) -> AsyncIterator[grpc.aio.Channel]:
    """Open a channel under our own identity; it connects when first used, and again when lost.

    Args:
        settings: for TLS.
        identity: whose token each call carries.
        address: `host:port` of the neighbour.
        timeout: seconds for a unary call that is given none; never more than what is left to the
            call being served.

    """
    options = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5000),
    ]
    interceptors = [
        *aio_client_interceptors(),  # type: ignore[no-untyped-call] # it ships no types
        _UnaryCalls(identity, timeout),
        _StreamCalls(identity),
    ]
    if settings.tls is None:
        channel = grpc.aio.insecure_channel(address, options=options, interceptors=interceptors)
    else:
        certificate, key, authority = (path.read_bytes() for path in settings.tls)
        credentials = grpc.ssl_channel_credentials(authority, key, certificate)
        channel = grpc.aio.secure_channel(
            address, credentials, options=options, interceptors=interceptors
        )
    async with channel:
        yield channel


def _identified(
    details: grpc.aio.ClientCallDetails, identity: ServiceIdentity, timeout: float | None
) -> grpc.aio.ClientCallDetails:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    metadata["authorization"] = f"Bearer {identity.token()}"
    limits = [each for each in (timeout, remaining_deadline()) if each is not None]
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=min(limits) if limits else None,
        metadata=metadata,
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )


class _UnaryCalls(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, identity: ServiceIdentity, timeout: float) -> None:
        self._identity = identity
        self._timeout = timeout

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401 - any message
    ) -> Any:  # noqa: ANN401 - the call object
        timeout = client_call_details.timeout or self._timeout
        return await continuation(
            _identified(client_call_details, self._identity, timeout), request
        )


class _StreamCalls(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, identity: ServiceIdentity) -> None:
        self._identity = identity

    async def intercept_unary_stream(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401 - any message
    ) -> Any:  # noqa: ANN401 - the call object
        timeout = client_call_details.timeout
        return await continuation(
            _identified(client_call_details, self._identity, timeout), request
        )
