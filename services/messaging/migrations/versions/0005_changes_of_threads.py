"""What watchers of a thread are told, numbered.

The code before it writes without telling: watchers hear of that when they list the messages.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "messaging"


def upgrade() -> None:
    count = sa.Column("change_count", sa.BigInteger, nullable=False, server_default=sa.text("0"))
    op.add_column("thread", count, schema=SCHEMA)
    op.create_table(
        "thread_change",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("person_kind", sa.Text),
        sa.Column("person_id", sa.Text),
        sa.PrimaryKeyConstraint("thread_id", "number", name="thread_change_pkey"),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["messaging.thread.thread_id"], name="thread_change_thread_id_fkey"
        ),
        sa.CheckConstraint(
            "kind IN ('SENT', 'EDITED', 'DELETED', 'READ', 'JOINED', 'LEFT')",
            name="thread_change_kind_known",
        ),
        sa.CheckConstraint(
            "(kind IN ('SENT', 'EDITED', 'DELETED', 'READ')) = (sequence IS NOT NULL)",
            name="thread_change_sequence_fits_kind",
        ),
        sa.CheckConstraint(
            "(kind IN ('READ', 'JOINED', 'LEFT')) = (person_id IS NOT NULL)",
            name="thread_change_person_fits_kind",
        ),
        schema=SCHEMA,
    )
