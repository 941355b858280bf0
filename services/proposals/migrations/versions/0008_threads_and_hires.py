"""What the events of threads and hires tell of a proposal."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = "proposals"


def upgrade() -> None:
    op.create_table(
        "thread",
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="thread_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "hire",
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("waiting_for", sa.Text, nullable=False),
        sa.Column("wait_deadline", sa.TIMESTAMP(timezone=True)),
        sa.Column("contract_id", sa.Text, nullable=False),
        sa.Column("start_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hire_id", name="hire_pkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "hire_by_proposal", "hire", ["proposal_id", "start_time", "hire_id"], schema=SCHEMA
    )
