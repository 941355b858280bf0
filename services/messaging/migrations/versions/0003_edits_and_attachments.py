"""Messages that are edited and deleted, what they said before, and files that come with them.

The code before it writes messages without attachments and reads deleted ones as empty.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SCHEMA = "messaging"


def upgrade() -> None:
    time = sa.TIMESTAMP(timezone=True)
    none, never = sa.text("'[]'"), sa.text("0")
    for column in (
        sa.Column("attachments", JSONB, nullable=False, server_default=none),
        sa.Column("edit_count", sa.Integer, nullable=False, server_default=never),
        sa.Column("edit_time", time),
        sa.Column("delete_time", time),
    ):
        op.add_column("message", column, schema=SCHEMA)
    op.drop_constraint("message_text_not_empty", "message", schema=SCHEMA)
    for name, condition in (
        ("message_says_something", "text <> '' OR attachments <> '[]' OR delete_time IS NOT NULL"),
        (
            "message_deleted_says_nothing",
            "delete_time IS NULL OR (text = '' AND attachments = '[]')",
        ),
        ("message_edits_fit_time", "(edit_count = 0) = (edit_time IS NULL)"),
    ):
        op.create_check_constraint(name, "message", condition, schema=SCHEMA)
    op.create_table(
        "message_version",
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("create_time", time, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "sequence", "number", name="message_version_pkey"),
        sa.ForeignKeyConstraint(
            ["thread_id", "sequence"],
            ["messaging.message.thread_id", "messaging.message.sequence"],
            name="message_version_message_fkey",
        ),
        schema=SCHEMA,
    )
