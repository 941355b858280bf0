"""How far each reader has read in each thread."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = "messaging"


def upgrade() -> None:
    op.create_table(
        "read_mark",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("reader_kind", sa.Text, nullable=False),
        sa.Column("reader_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("own_after", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "reader_kind", "reader_id", name="read_mark_pkey"),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["messaging.thread.thread_id"], name="read_mark_thread_id_fkey"
        ),
        sa.CheckConstraint(
            "reader_kind IN ('EMPLOYER', 'AGENT', 'TRAINER')", name="read_mark_reader_kind_known"
        ),
        sa.CheckConstraint("sequence >= 0 AND own_after >= 0", name="read_mark_not_negative"),
        schema=SCHEMA,
    )
