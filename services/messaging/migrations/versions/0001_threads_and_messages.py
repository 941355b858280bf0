"""Threads, who is in them, their messages, and the proposals they come of."""

import sqlalchemy as sa
from alembic import op

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None

SCHEMA = "messaging"
KINDS = "kind IN ('PROPOSAL', 'JOB', 'CHANNEL')"


def upgrade() -> None:
    create_chassis_tables(SCHEMA)
    _create_proposal()
    _create_thread()
    _create_thread_participant()
    _create_message()


def _create_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="proposal_pkey"),
        schema=SCHEMA,
    )


def _create_thread() -> None:
    op.create_table(
        "thread",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("proposal_id", sa.Text),
        sa.Column("contract_id", sa.Text),
        sa.Column("message_count", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_message_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thread_id", name="thread_pkey"),
        sa.UniqueConstraint("contract_id", name="thread_contract_id_key"),
        sa.CheckConstraint(KINDS, name="thread_kind_known"),
        sa.CheckConstraint(
            "(kind = 'CHANNEL') = (proposal_id IS NULL)", name="thread_proposal_fits_kind"
        ),
        sa.CheckConstraint(
            "(kind = 'JOB') = (contract_id IS NOT NULL)", name="thread_contract_fits_kind"
        ),
        sa.CheckConstraint("message_count >= 0", name="thread_message_count_not_negative"),
        sa.CheckConstraint("last_message_time >= create_time", name="thread_times_in_order"),
        schema=SCHEMA,
    )
    op.create_index(
        "thread_of_proposal",
        "thread",
        ["proposal_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'PROPOSAL'"),
        schema=SCHEMA,
    )
    order = ["kind", "last_message_time", "thread_id"]
    op.create_index("thread_by_organisation", "thread", ["organisation_id", *order], schema=SCHEMA)
    op.create_index("thread_by_job", "thread", ["organisation_id", "job_id", *order], schema=SCHEMA)


def _create_thread_participant() -> None:
    op.create_table(
        "thread_participant",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("last_message_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "trainer_id", name="thread_participant_pkey"),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["messaging.thread.thread_id"], name="thread_participant_thread_id_fkey"
        ),
        sa.CheckConstraint(KINDS, name="thread_participant_kind_known"),
        schema=SCHEMA,
    )
    order = ["kind", "last_message_time", "thread_id"]
    for name, columns in (
        ("participant_by_trainer", ["trainer_id", *order]),
        ("participant_by_job", ["trainer_id", "job_id", *order]),
    ):
        op.create_index(name, "thread_participant", columns, schema=SCHEMA)


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sender_kind", sa.Text, nullable=False),
        sa.Column("sender_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "sequence", name="message_pkey"),
        sa.UniqueConstraint("message_id", name="message_message_id_key"),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["messaging.thread.thread_id"], name="message_thread_id_fkey"
        ),
        sa.CheckConstraint("kind IN ('TEXT', 'SYSTEM')", name="message_kind_known"),
        sa.CheckConstraint(
            "sender_kind IN ('EMPLOYER', 'AGENT', 'TRAINER', 'SERVICE')",
            name="message_sender_kind_known",
        ),
        sa.CheckConstraint("sequence >= 1", name="message_sequence_positive"),
        sa.CheckConstraint("text <> ''", name="message_text_not_empty"),
        schema=SCHEMA,
    )
