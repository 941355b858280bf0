"""The metrics of Temporal's SDK, told with ours at the process' one endpoint.

The SDK's core measures in Rust. It could serve Prometheus itself, on a second port; drained into
our meter, its metrics go wherever ours go.
"""

import asyncio
from collections.abc import Callable
from functools import cache

from temporalio.common import MetricAttributes
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BufferedMetric,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
)

from services.common.metrics import CALL_SECONDS, METER

# What a busy worker measures in a minute.
_BUFFERED = 200_000
# As often as our own figures are read; the buffer holds a dozen times as much.
_PAUSE = 5.0
_BUFFER = MetricBuffer(_BUFFERED, MetricBufferDurationFormat.SECONDS)
_Record = Callable[[float, MetricAttributes], None]
_recorders: dict[str, _Record] = {}


@cache
def measured_runtime() -> Runtime:
    """Give the process' one runtime of the SDK; whoever uses it runs `keep_telling` as well."""
    return Runtime(telemetry=TelemetryConfig(metrics=_BUFFER))


async def keep_telling() -> None:
    """Hand on what the SDK measured, every five seconds until cancelled."""
    measured_runtime()
    while True:
        for update in _BUFFER.retrieve_updates():
            name = update.metric.name
            record = _recorders.get(name) or _recorders.setdefault(name, _recorder(update.metric))
            record(update.value, update.attributes)
        await asyncio.sleep(_PAUSE)


def _recorder(metric: BufferedMetric) -> _Record:
    unit, description = metric.unit or "", metric.description or ""
    if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
        return METER.create_counter(metric.name, unit, description).add
    if metric.kind == BUFFERED_METRIC_KIND_GAUGE:
        return METER.create_gauge(metric.name, unit, description).set
    return METER.create_histogram(
        metric.name, unit, description, explicit_bucket_boundaries_advisory=CALL_SECONDS
    ).record
