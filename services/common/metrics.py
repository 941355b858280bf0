"""Metrics: one meter for all of Hireflow, and where they are read: Prometheus, and OTLP if asked.

Labels are of few values, known beforehand: a method, a schema, a stage; never an id. What is
counted is counted by the process that did it. What is read from a database or a stream is told by
every process that serves its part, so a rule takes `max`, not `sum`, over a part's replicas.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import prometheus_client
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader

from services.common import telemetry
from services.common.ending import end_if_told
from services.common.settings import Settings

METER = metrics.get_meter("hireflow")
# OpenTelemetry's advice for the duration of calls, in seconds.
CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_PATIENCE = 4.0
_log = telemetry.get_logger(__name__)


class Gauge:
    """A figure that somebody reads now and then; silent about what is not known any more."""

    def __init__(self, name: str, unit: str, description: str) -> None:
        self._told: dict[str, Sequence[Observation]] = {}
        METER.create_observable_gauge(name, [self._observed], unit=unit, description=description)

    def tell(self, source: str, values: Sequence[Observation]) -> None:
        """Replace what a source told before; nothing means that it knows no more."""
        self._told[source] = values

    def _observed(self, _: CallbackOptions) -> Iterable[Observation]:
        for values in list(self._told.values()):
            yield from values


Figures = Mapping[Gauge, Sequence[Observation]]


def read_regularly(
    source: str, read: Callable[[], Awaitable[Figures]], every: float
) -> Callable[[], Awaitable[None]]:
    """Build the background task that reads figures every so many seconds.

    Not at each scrape: how often somebody looks must not be felt by the database. A reading that
    fails is logged, and its gauges are silent until the next: an old figure would pass for today's.
    """

    async def keep_reading() -> None:
        told: set[Gauge] = set()
        try:
            while True:
                end_if_told()
                figures = await _read(source, read)
                for gauge in told | figures.keys():
                    gauge.tell(source, figures.get(gauge, ()))
                told |= figures.keys()
                await asyncio.sleep(every)
        finally:
            for gauge in told:
                gauge.tell(source, ())

    return keep_reading


async def _read(source: str, read: Callable[[], Awaitable[Figures]]) -> Figures:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await read()
    except Exception as error:  # noqa: BLE001 - whatever it was, the figures are not known
        _log.warning("figures not read", source=source, error=repr(error))
        return {}


def configure(settings: Settings, process: str) -> None:
    """Begin to measure in this process; a repeat changes nothing."""
    if isinstance(metrics.get_meter_provider(), MeterProvider):
        return
    readers: list[MetricReader] = [PrometheusMetricReader(scope_info_enabled=False)]
    if settings.otlp_endpoint:
        # Imported late: few processes export, see telemetry.
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415
            OTLPMetricExporter,
        )

        exporter = OTLPMetricExporter(endpoint=settings.otlp_endpoint)
        readers.append(PeriodicExportingMetricReader(exporter))
    metrics.set_meter_provider(MeterProvider(readers, telemetry.resource_of(process)))


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """Serve Prometheus at the settings' address while in the block; gives the address, or "".

    A thread of its own answers, so that a busy process is still seen.

    Raises:
        OSError: the port is taken.

    """
    if not settings.metrics_listen:
        yield ""
        return
    host, _, port = settings.metrics_listen.rpartition(":")
    try:
        server, thread = prometheus_client.start_http_server(int(port), host)
    except OSError as error:
        message = f"cannot listen on {settings.metrics_listen}: is the port taken?"
        raise OSError(message) from error
    address = f"{host}:{server.server_port}"
    _log.info("metrics listening", address=address)
    try:
        yield address
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
