"""The tables that the chassis keeps in each schema: requests, outbox, inbox."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID


@dataclass(frozen=True, slots=True)
class ChassisTables:
    """The chassis' tables of one schema."""

    request: sa.Table
    outbox: sa.Table
    outbox_stream: sa.Table
    outbox_pruned: sa.Table
    inbox: sa.Table
    inbox_held: sa.Table


def chassis_tables(metadata: sa.MetaData) -> ChassisTables:
    """Add the chassis' tables to a schema's metadata; a repeat answers with the same tables."""
    if f"{metadata.schema}.outbox" not in metadata.tables:
        _request(metadata)
        _outbox(metadata)
        _inbox(metadata)
    of = metadata.tables
    names = ("request", "outbox", "outbox_stream", "outbox_pruned", "inbox", "inbox_held")
    return ChassisTables(*(of[f"{metadata.schema}.{name}"] for name in names))


def _time(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), **options)  # type: ignore[arg-type] # passed on as given


def _request(metadata: sa.MetaData) -> None:
    table = sa.Table(
        "request",
        metadata,
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", JSONB),
        _time("create_time", nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("principal", "request_id", name="request_pkey"),
    )
    sa.Index("request_create_time_idx", table.c.create_time)


def _outbox(metadata: sa.MetaData) -> None:
    table = sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_id", UUID, nullable=False, server_default=sa.text("uuidv7()")),
        sa.Column("aggregate_type", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("data_schema", sa.Text, nullable=False),
        _time("time", nullable=False),
        sa.Column("traceparent", sa.Text, nullable=False),
        _time("sent_at"),
        sa.PrimaryKeyConstraint("id", name="outbox_pkey"),
        sa.UniqueConstraint(
            "aggregate_type", "aggregate_id", "version", name="outbox_aggregate_version_key"
        ),
    )
    sa.Index("outbox_unsent_idx", table.c.id, postgresql_where=table.c.sent_at.is_(None))
    # The stream that was filled last, told from others of its name by when it was made; after which
    # row everything is to be sent to it again, if so, and by which order.
    sa.Table(
        "outbox_stream",
        metadata,
        sa.Column("stream", sa.Text, nullable=False),
        _time("create_time", nullable=False),
        sa.Column("resend_after", sa.BigInteger),
        sa.Column("resend_order", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("stream", name="outbox_stream_pkey"),
    )
    # The last version of an aggregate that was pruned: the next one follows on it.
    sa.Table(
        "outbox_pruned",
        metadata,
        sa.Column("aggregate_type", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("aggregate_type", "aggregate_id", name="outbox_pruned_pkey"),
    )


def _inbox(metadata: sa.MetaData) -> None:
    def aggregate() -> list[sa.Column[str]]:
        names = ("consumer", "aggregate_type", "aggregate_id")
        return [sa.Column(name, sa.Text, nullable=False) for name in names]

    key = ("consumer", "aggregate_type", "aggregate_id")
    inbox = sa.Table(
        "inbox",
        metadata,
        *aggregate(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("holds", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("stuck_event_id", sa.Text),
        sa.Column("stuck_reason", sa.Text),
        _time("stuck_time"),
        sa.PrimaryKeyConstraint(*key, name="inbox_pkey"),
    )
    sa.Index(
        "inbox_stuck_idx",
        inbox.c.consumer,
        inbox.c.stuck_event_id,
        postgresql_where=inbox.c.stuck_event_id.isnot(None),
    )
    held = sa.Table(
        "inbox_held",
        metadata,
        *aggregate(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        _time("retry_time", nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint(*key, "version", name="inbox_held_pkey"),
    )
    sa.Index("inbox_held_retry_idx", held.c.consumer, held.c.retry_time)
