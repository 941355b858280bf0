"""The servers that Hireflow stands on, beside PostgreSQL: NATS, Temporal, the Stripe sandbox."""

from collections.abc import Awaitable, Callable, Mapping

from deploy.local import binaries
from deploy.local.data_dir import DataDir, write_private
from deploy.local.forking import PythonProgram
from deploy.local.ports import HOST
from deploy.local.process import ProcessSpec
from deploy.local.readiness import http_serves, nats_serves, temporal_serves

SEARCH_ATTRIBUTES = {
    "HireStage": "Keyword",
    "HireBlocked": "Keyword",
    "HireDeadline": "Datetime",
    "HireId": "Keyword",
    "OrganisationId": "Keyword",
    "JobId": "Keyword",
    "ProposalId": "Keyword",
}
"""What operators filter hires by; a test compares it with the workflow's contract, whose import
would bring Temporal's whole SDK into the supervisor."""


def specify_nats(data: DataDir, port: int, environment: Mapping[str, str]) -> ProcessSpec:
    """Describe the NATS server with JetStream.

    `sync_interval: always` because an outbox row counts as sent once NATS has acknowledged it:
    the default writes to disk every two minutes and loses acknowledged events with the power.
    """
    config = data.root / "nats.conf"
    write_private(
        config,
        f'listen: "{HOST}:{port}"\n'
        f'jetstream {{ store_dir: "{data.root / "nats"}", sync_interval: always }}\n',
    )
    return ProcessSpec(
        name="nats",
        command=[str(binaries.scripts("nats-server")), "--config", str(config)],
        environment=lambda: environment,
        addresses={"nats": f"{HOST}:{port}"},
        ready=nats_serves(f"nats://{HOST}:{port}"),
    )


def specify_temporal(
    data: DataDir, port: int, ui_port: int, environment: Mapping[str, str]
) -> ProcessSpec:
    """Describe the Temporal development server with its UI.

    The write-ahead log nearly triples the throughput of its SQLite file, and the default poll
    rate of the transfer queue adds some 300 ms to every workflow. A server of several hosts rounds
    short timers and pauses between tries up to a second, for clocks that differ; here is one clock.
    A workflow is deleted once the queues have noted that its end went through them: by default that
    takes half a minute.
    """
    attributes = [
        part
        for name, kind in SEARCH_ATTRIBUTES.items()
        for part in ("--search-attribute", f"{name}={kind}")
    ]
    return ProcessSpec(
        name="temporal",
        command=[
            str(binaries.scripts("temporal")),
            *("server", "start-dev", "--disable-config-file", "--disable-config-env"),
            *("--ip", HOST, "--port", str(port), "--ui-port", str(ui_port)),
            *("--db-filename", str(data.root / "temporal.db")),
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
            *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=100"),
            *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="50ms"'),
            *("--dynamic-config-value", 'history.transferProcessorUpdateAckInterval="1s"'),
            *("--dynamic-config-value", 'history.visibilityProcessorUpdateAckInterval="1s"'),
            "--ui-disable-news-fetch",
            *attributes,
        ],
        environment=lambda: environment,
        addresses={"temporal": f"{HOST}:{port}", "ui": f"http://{HOST}:{ui_port}"},
        ready=temporal_serves(f"{HOST}:{port}"),
    )


def specify_stripe(
    data: DataDir,
    port: int,
    environment: Mapping[str, str],
    settle: Callable[[], Awaitable[None]],
) -> ProcessSpec:
    """Describe the Stripe sandbox; `settle` tells it where webhooks go."""
    base = f"http://{HOST}:{port}"
    return ProcessSpec(
        name="stripe",
        command=PythonProgram(
            "deploy.local.stripe_sandbox",
            ("--listen", f"{HOST}:{port}", "--data", str(data.root / "stripe.db")),
        ),
        environment=lambda: environment,
        addresses={"stripe": base},
        ready=http_serves(f"{base}/_sandbox/health"),
        settle=settle,
    )
