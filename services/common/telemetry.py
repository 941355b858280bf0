"""Structured logs with the trace id, and traces that follow a call through gRPC and NATS.

Logs carry ids, kinds, counts and durations: never a token, a secret or text of people.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.common.settings import Settings

_SECRET_WORDS = ("authorization", "token", "secret", "password", "api_key")
_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("hireflow")


def configure(settings: Settings, process: str) -> None:
    """Set up logs and traces for this process; a repeat changes only the logs.

    Spans are recorded always, so that every log line has a trace id, and exported only when an
    OTLP endpoint is configured.
    """
    _configure_logs(settings, process)
    set_global_textmap(_PROPAGATOR)
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    provider = TracerProvider(resource=resource_of(process))
    if settings.otlp_endpoint:
        # Imported late: the exporter brings a second gRPC stack that few processes need.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def resource_of(process: str) -> Resource:
    """Name this process to whoever collects what it tells."""
    return Resource.create({"service.name": f"hireflow-{process}"})


def flush() -> None:
    """Send the spans that still wait, for at most three seconds; call it last."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(timeout_millis=3000)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a module: `log.info("what happened", key=value)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger


def current_trace_id() -> str:
    """Name the trace this code runs in, as 32 hexadecimal digits; empty outside of one."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def current_traceparent() -> str:
    """Give the W3C traceparent to hand on; empty outside of a trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def continued(traceparent: str, name: str) -> Iterator[None]:
    """Run the block in a span that continues the trace of whoever caused it."""
    context = _PROPAGATOR.extract({"traceparent": traceparent})
    kind = trace.SpanKind.CONSUMER
    with _TRACER.start_as_current_span(name, context=context, kind=kind):
        yield


def _configure_logs(settings: Settings, process: str) -> None:
    def add_process(_: object, __: str, line: structlog.typing.EventDict) -> Any:  # noqa: ANN401
        line.setdefault("process", process)
        if trace_id := current_trace_id():
            line["trace_id"] = trace_id
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_process,
        _never_tell,
    ]
    if settings.log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        # Plain: a rich traceback prints local variables, tokens among them.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # Third parties log through the standard library: the same lines, warnings and worse.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _never_tell(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key in line:
        if any(word in key.lower() for word in _SECRET_WORDS):
            line[key] = "…"
    return line
