"""Screening plans, folders and invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SCHEMA = "jobs"


def upgrade() -> None:
    _create_folder()
    _widen_job()
    op.create_table(
        "invitation",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "trainer_id", name="invitation_pkey"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job.job_id"], name="invitation_job_id_fkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "invitation_by_time", "invitation", ["job_id", "create_time", "trainer_id"], schema=SCHEMA
    )


def _create_folder() -> None:
    op.create_table(
        "folder",
        sa.Column("folder_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("colour", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("folder_id", name="folder_pkey"),
        sa.CheckConstraint("name <> ''", name="folder_named"),
        schema=SCHEMA,
    )
    op.create_index(
        "folder_by_name",
        "folder",
        ["organisation_id", sa.text("lower(name)")],
        unique=True,
        schema=SCHEMA,
    )


def _widen_job() -> None:
    # With defaults, for the code before this one writes jobs without a plan.
    for column in (
        sa.Column("plan_prompt", sa.Text, nullable=False, server_default=""),
        sa.Column("plan_fields", JSONB, nullable=False, server_default="[]"),
        sa.Column("plan_version", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("folder_id", sa.Text),
    ):
        op.add_column("job", column, schema=SCHEMA)
    op.create_foreign_key(
        "job_folder_id_fkey",
        "job",
        "folder",
        ["folder_id"],
        ["folder_id"],
        source_schema=SCHEMA,
        referent_schema=SCHEMA,
    )
    op.create_index(
        "job_by_category",
        "job",
        ["organisation_id", "category", "state", "create_time", "job_id"],
        schema=SCHEMA,
    )
    op.create_index(
        "job_by_folder", "job", ["folder_id", "state", "create_time", "job_id"], schema=SCHEMA
    )
