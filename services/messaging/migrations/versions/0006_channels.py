"""Channels: their names and members, and what is known of jobs and of the work on them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "messaging"


def upgrade() -> None:
    name = sa.Column("name", sa.Text, nullable=False, server_default=sa.text("''"))
    op.add_column("thread", name, schema=SCHEMA)
    joined = sa.Column(
        "join_time", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    )
    op.add_column("thread_participant", joined, schema=SCHEMA)
    op.execute(
        "UPDATE messaging.thread_participant AS participant SET join_time = thread.create_time"
        " FROM messaging.thread WHERE thread.thread_id = participant.thread_id"
    )
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("adds_hires", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="job_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "contract",
        sa.Column("contract_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", name="contract_pkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "contract_active",
        "contract",
        ["job_id", "trainer_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("active"),
    )
