"""A collector: takes what the processes export over OTLP; traces by id, metrics by name."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Span:
    process: str
    name: str
    id: str
    parent: str


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """The collector of a test run; `address` is where it listens."""

    def __init__(self) -> None:
        self.address = ""
        self.traces: dict[str, list[Span]] = defaultdict(list)
        self.metrics: set[tuple[str, str]] = set()

    async def Export(  # noqa: N802 - the method's name in the proto
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        context: object,
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for of_process in request.resource_spans:
            names = {each.key: each.value.string_value for each in of_process.resource.attributes}
            for scope in of_process.scope_spans:
                for span in scope.spans:
                    self.traces[span.trace_id.hex()].append(
                        Span(
                            names["service.name"],
                            span.name,
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                        )
                    )
        return trace_service_pb2.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Notes which process told of which metric."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def Export(  # noqa: N802 - the method's name in the proto
        self,
        request: metrics_service_pb2.ExportMetricsServiceRequest,
        context: object,
    ) -> metrics_service_pb2.ExportMetricsServiceResponse:
        for of_process in request.resource_metrics:
            names = {each.key: each.value.string_value for each in of_process.resource.attributes}
            for scope in of_process.scope_metrics:
                self._collector.metrics |= {
                    (names["service.name"], metric.name) for metric in scope.metrics
                }
        return metrics_service_pb2.ExportMetricsServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Collect while in the block."""
    collector = Collector()
    server = grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call] # it ships no types
        collector, server
    )
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(  # type: ignore[no-untyped-call] # it ships no types
        Metrics(collector), server
    )
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
