"""Migrations: one schema at a time, under a lock, in one transaction; forward only.

Alembic is imported late: only the one-shot migration process needs it.
"""

import asyncio
import time
from pathlib import Path

import sqlalchemy as sa

from services.common.database import Database
from services.common.errors import Unavailable
from services.common.settings import Settings
from services.common.telemetry import get_logger

_ENVIRONMENT = Path(__file__).parent / "alembic_env"
_PATIENCE = 30.0
_log = get_logger(__name__)

# Frozen with each schema's first migration: a change of the chassis' tables is a further function
# beside `create_chassis_tables`, called by a new migration of every schema.
_CHASSIS_TABLES = """
CREATE TABLE {schema}.request (
    principal text NOT NULL,
    request_id text NOT NULL,
    method text NOT NULL,
    fingerprint bytea NOT NULL,
    answer jsonb,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT request_pkey PRIMARY KEY (principal, request_id)
);
CREATE TABLE {schema}.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL DEFAULT uuidv7(),
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    data bytea NOT NULL,
    data_schema text NOT NULL,
    time timestamptz NOT NULL,
    traceparent text NOT NULL,
    sent_at timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_aggregate_version_key UNIQUE (aggregate_type, aggregate_id, version)
);
CREATE INDEX outbox_unsent_idx ON {schema}.outbox (id) WHERE sent_at IS NULL;
CREATE TABLE {schema}.inbox (
    consumer text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    holds boolean NOT NULL DEFAULT false,
    stuck_event_id text,
    CONSTRAINT inbox_pkey PRIMARY KEY (consumer, aggregate_type, aggregate_id)
);
CREATE INDEX inbox_stuck_idx ON {schema}.inbox (consumer, stuck_event_id)
    WHERE stuck_event_id IS NOT NULL;
CREATE TABLE {schema}.inbox_held (
    consumer text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    retry_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT inbox_held_pkey PRIMARY KEY (consumer, aggregate_type, aggregate_id, version)
);
CREATE INDEX inbox_held_retry_idx ON {schema}.inbox_held (consumer, retry_time);
"""
_STREAM_AND_PRUNING = """
ALTER TABLE {schema}.inbox ADD COLUMN stuck_reason text, ADD COLUMN stuck_time timestamptz;
CREATE TABLE {schema}.outbox_stream (
    stream text NOT NULL,
    create_time timestamptz NOT NULL,
    resend_after bigint,
    resend_order text NOT NULL DEFAULT '',
    CONSTRAINT outbox_stream_pkey PRIMARY KEY (stream)
);
CREATE TABLE {schema}.outbox_pruned (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT outbox_pruned_pkey PRIMARY KEY (aggregate_type, aggregate_id)
);
CREATE INDEX request_create_time_idx ON {schema}.request (create_time);
"""


def create_chassis_tables(schema: str) -> None:
    """Create the chassis' tables; called by the first migration of each schema, within alembic."""
    _execute(_CHASSIS_TABLES.format(schema=schema))


def add_stream_and_pruning(schema: str) -> None:
    """Add which stream the outbox fills, what was pruned, and why an aggregate is stuck.

    Called by one further migration of each schema, within alembic.
    """
    _execute(_STREAM_AND_PRUNING.format(schema=schema))


async def migrate(settings: Settings, schema: str, folder: Path) -> None:
    """Bring a schema to the newest version in `folder/versions`; a repeat changes nothing.

    Two at once wait for each other. Waits up to half a minute for the database.

    Raises:
        Unavailable: the database did not answer in that time.

    """
    patient = settings.model_copy(update={"statement_timeout": 600.0})
    async with Database.open(patient, f"migrate-{schema}") as database:
        await _wait_for(database)
        async with database.begin() as transaction:
            # The lock and alembic's work last longer than a request may.
            await transaction.execute(sa.text("SET LOCAL transaction_timeout = 0"))
            await transaction.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"migrate {schema}", 0))
            await transaction.execute(sa.select(lock))
            await transaction.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            await transaction.run_sync(_upgrade, schema, folder)
    _log.info("schema migrated", schema=schema)


def _execute(statements: str) -> None:
    from alembic import op  # noqa: PLC0415 - see the module's docstring

    for statement in statements.split(";"):
        if statement.strip():
            op.execute(statement)


def _upgrade(connection: sa.Connection, schema: str, folder: Path) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("version_locations", str(folder / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")


async def _wait_for(database: Database) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return await database.ping()
        except Unavailable as error:
            if time.monotonic() > end:
                raise
            _log.warning("waiting for the database", error=error.message)
        await asyncio.sleep(0.5)
