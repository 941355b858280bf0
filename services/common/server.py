"""The gRPC server of a process: services, health, reflection, and a graceful stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from opentelemetry.instrumentation.grpc import aio_server_interceptor, filters

from services.common.errors import Behind
from services.common.serving import Surroundings
from services.common.settings import Settings
from services.common.telemetry import get_logger
from services.common.tokens import Verifier

_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_LARGEST_MESSAGE = 4 * 1024 * 1024
_NONE: Mapping[str, Behind] = {}
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Servicer:
    """A gRPC service to be served.

    Attributes:
        add: the generated `add_…Servicer_to_server`.
        implementation: the servicer.
        name: the service's full proto name, for health and reflection.

    """

    add: Callable[[Any, grpc.aio.Server], None]
    implementation: object
    name: str


class Server:
    """A running server; NOT_SERVING until told otherwise."""

    def __init__(
        self,
        address: str,
        health: health_aio.HealthServicer,
        surroundings: Surroundings,
        names: Sequence[str],
    ) -> None:
        self.address = address
        self._health = health
        self._surroundings = surroundings
        self._names = ("", *names)

    async def report(
        self, *, serving: bool, whole: bool, refused: Mapping[str, Behind] = _NONE
    ) -> None:
        """Tell the health of each service, and of the process as a whole under the empty name.

        Services that are `refused` are not healthy, and calls to them get that error.
        """
        self._surroundings.refused = refused
        for name in self._names:
            healthy = serving and name not in refused if name else whole
            await self._health.set(name, _SERVING if healthy else _NOT_SERVING)


@asynccontextmanager
async def serve(
    settings: Settings, verifier: Verifier, servicers: Sequence[Servicer]
) -> AsyncIterator[Server]:
    """Serve in the block; at its end stop gracefully.

    First NOT_SERVING for the settings' notice, then streams end, and running calls may finish
    within their grace.

    Raises:
        OSError: the port is taken.

    """
    surroundings = Surroundings(settings, verifier)
    tracing = aio_server_interceptor(  # type: ignore[no-untyped-call] # it ships no types
        filter_=filters.negate(filters.health_check())
    )
    server = grpc.aio.server(
        interceptors=[tracing, surroundings],
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.keepalive_permit_without_calls", 1),
            # A stream may be silent for an hour: this finds watchers whose machine or network is
            # gone, who would otherwise be kept until the stream's deadline.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            # Beyond 1,000 calls that wait to be taken gRPC refuses some at random, as CANCELLED,
            # which no client repeats; thousands of watchers come back at once after a restart.
            ("grpc.server.max_pending_requests", 10_000),
            ("grpc.server.max_pending_requests_hard_limit", 20_000),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ],
    )
    names = [each.name for each in servicers]
    health = health_aio.HealthServicer()
    running = Server(_bind(server, settings), health, surroundings, names)
    await running.report(serving=False, whole=False)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    for each in servicers:
        each.add(each.implementation, server)
    reflection.enable_server_reflection([*names, _HEALTH, reflection.SERVICE_NAME], server)
    await server.start()
    _log.info("listening", address=running.address, services=names)
    try:
        yield running
    finally:
        await health.enter_graceful_shutdown()
        await asyncio.sleep(settings.shutdown_notice)
        surroundings.end_streams()
        await server.stop(settings.shutdown_grace)
        _log.info("stopped listening", address=running.address)


def _bind(server: grpc.aio.Server, settings: Settings) -> str:
    host = settings.listen.rpartition(":")[0]
    try:
        if settings.tls is None:
            port = server.add_insecure_port(settings.listen)
        else:
            certificate, key, authority = (path.read_bytes() for path in settings.tls)
            credentials = grpc.ssl_server_credentials(
                [(key, certificate)], root_certificates=authority, require_client_auth=True
            )
            port = server.add_secure_port(settings.listen, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {settings.listen}: is the port taken?") from error
    return f"{host}:{port}"
