"""Which hires run, what their fundings are, and how often an intent's create failed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "hiring"


def upgrade() -> None:
    op.create_index(
        "hire_running",
        "hire",
        ["hire_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.add_column(
        "funding",
        sa.Column("creates_failed", sa.Integer, nullable=False, server_default="0"),
        schema=SCHEMA,
    )
    op.create_index("funding_by_hire", "funding", ["hire_id"], schema=SCHEMA)
    op.create_index(
        "funding_open",
        "funding",
        ["create_time"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
