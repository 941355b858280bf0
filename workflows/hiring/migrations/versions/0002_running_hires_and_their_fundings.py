"""Indexes for the sweep: which hires run, and what a hire's fundings are."""

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
    op.create_index("funding_by_hire", "funding", ["hire_id"], schema=SCHEMA)
    op.create_index(
        "funding_open",
        "funding",
        ["create_time"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
