"""What the screen of a proposal shows of its thread and of its last hire."""

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
    reserved = sa.Column(
        "reserve_time", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    )
    op.add_column("reservation", reserved, schema=SCHEMA)
    keys = ["proposal_id", "reserve_time", "hire_id"]
    op.create_index("reservation_by_proposal", "reservation", keys, schema=SCHEMA)
