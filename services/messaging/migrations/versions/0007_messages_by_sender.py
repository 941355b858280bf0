"""Messages are found by who wrote them, so that reading a long thread is counted at once."""

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = "messaging"


def upgrade() -> None:
    columns = ["thread_id", "sender_kind", "sender_id", "sequence"]
    op.create_index("message_by_sender", "message", columns, schema=SCHEMA)
