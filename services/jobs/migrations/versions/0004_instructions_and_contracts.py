"""Versioned instructions, and what contracts tell of the work on a job."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = "jobs"


def upgrade() -> None:
    op.create_table(
        "instructions",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author_id", sa.Text, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "version", name="instructions_pkey"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job.job_id"], name="instructions_job_id_fkey"),
        sa.CheckConstraint("version >= 1", name="instructions_version_positive"),
        schema=SCHEMA,
    )
    op.create_table(
        "contract",
        sa.Column("contract_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", name="contract_pkey"),
        schema=SCHEMA,
    )
    op.create_index("contract_by_job", "contract", ["job_id", "trainer_id"], schema=SCHEMA)
    op.create_table(
        "milestone",
        sa.Column("contract_id", sa.Text, nullable=False),
        sa.Column("milestone_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "milestone_id", name="milestone_pkey"),
        schema=SCHEMA,
    )
