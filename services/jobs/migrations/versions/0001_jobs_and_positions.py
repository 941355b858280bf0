"""Jobs, the positions that hires reserve in them, and the count of their proposals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None

SCHEMA = "jobs"


def upgrade() -> None:
    create_chassis_tables(SCHEMA)
    _create_job()
    _create_position_reservation()
    _create_proposal_counts()


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("required_languages", ARRAY(sa.Text), nullable=False),
        sa.Column("required_skills", ARRAY(sa.Text), nullable=False),
        sa.Column("required_countries", ARRAY(sa.Text), nullable=False),
        sa.Column("pay_kind", sa.Text),
        sa.Column("pay_minimum", sa.BigInteger, nullable=False),
        sa.Column("pay_maximum", sa.BigInteger, nullable=False),
        sa.Column("pay_currency", sa.Text, nullable=False),
        sa.Column("positions", sa.Integer, nullable=False),
        sa.Column("filled", sa.Integer, nullable=False),
        sa.Column("reserved", sa.Integer, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("finish_when_filled", sa.Boolean, nullable=False),
        sa.Column("add_hires_to_channels", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("publish_time", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("job_id", name="job_pkey"),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'PUBLISHED', 'HIRING_DONE', 'ARCHIVED')", name="job_state_known"
        ),
        sa.CheckConstraint(
            "visibility IN ('PUBLIC', 'UNLISTED', 'INVITE_ONLY')", name="job_visibility_known"
        ),
        sa.CheckConstraint(
            "pay_kind IN ('FIXED', 'HOURLY', 'PER_LABEL')", name="job_pay_kind_known"
        ),
        sa.CheckConstraint(
            "pay_minimum >= 0 AND (pay_maximum = 0 OR pay_maximum >= pay_minimum)",
            name="job_pay_is_a_range",
        ),
        sa.CheckConstraint(
            "filled >= 0 AND reserved >= 0 AND filled + reserved <= positions",
            name="job_positions_not_overrun",
        ),
        sa.CheckConstraint("version >= 1", name="job_version_positive"),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'ARCHIVED') OR publish_time IS NOT NULL",
            name="job_publish_time_known",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "job_by_organisation",
        "job",
        ["organisation_id", "state", "create_time", "job_id"],
        schema=SCHEMA,
    )


def _create_position_reservation() -> None:
    op.create_table(
        "position_reservation",
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("contract_id", sa.Text),
        sa.Column("finished_hiring", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("hire_id", name="position_reservation_pkey"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.job.job_id"], name="position_reservation_job_id_fkey"
        ),
        sa.UniqueConstraint("contract_id", name="position_reservation_contract_id_key"),
        sa.CheckConstraint(
            "state IN ('RESERVED', 'RELEASED', 'FILLED')", name="position_reservation_state_known"
        ),
        sa.CheckConstraint(
            "(state = 'FILLED') = (contract_id IS NOT NULL)",
            name="position_reservation_filled_by_contract",
        ),
        schema=SCHEMA,
    )


def _create_proposal_counts() -> None:
    op.create_table(
        "live_proposal",
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="live_proposal_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "proposal_count",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="proposal_count_pkey"),
        sa.CheckConstraint("live >= 0", name="proposal_count_not_negative"),
        schema=SCHEMA,
    )
