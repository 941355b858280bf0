"""The connection to Temporal: one client per process, traced, speaking pydantic models."""

from collections.abc import Awaitable, Callable

from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter

from services.common.errors import Unavailable
from workflows.settings import HiringSettings
from workflows.temporal_metrics import measured_runtime


async def connect(settings: HiringSettings, *, lazy: bool = True) -> Client:
    """Make a client; a lazy one connects at its first call, so that a late server stops nobody.

    A worker needs one that is connected: raises RuntimeError while Temporal does not answer.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=pydantic_data_converter,
        interceptors=[TracingInterceptor()],
        lazy=lazy,
        runtime=measured_runtime(),
    )


def check(client: Client) -> Callable[[], Awaitable[None]]:
    """Build the readiness check: raise Unavailable while Temporal does not answer."""

    async def ask() -> None:
        if not await client.service_client.check_health():
            raise Unavailable("DEPENDENCY_UNAVAILABLE", "temporal does not serve")

    return ask
