"""Profiles, proposals, the reservations of hires, and what is known of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None

SCHEMA = "proposals"
LIVE = sa.text("NOT withdrawn")


def upgrade() -> None:
    create_chassis_tables(SCHEMA)
    _create_job()
    _create_profile()
    _create_proposal()
    _create_reservation()


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("required_languages", ARRAY(sa.Text), nullable=False),
        sa.Column("required_skills", ARRAY(sa.Text), nullable=False),
        sa.Column("required_countries", ARRAY(sa.Text), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="job_pkey"),
        schema=SCHEMA,
    )


def _create_profile() -> None:
    op.create_table(
        "profile",
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("languages", ARRAY(sa.Text), nullable=False),
        sa.Column("skills", ARRAY(sa.Text), nullable=False),
        sa.Column("resume_reference", sa.Text, nullable=False),
        sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("trainer_id", name="profile_pkey"),
        schema=SCHEMA,
    )


def _create_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("rate", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("rate_unit", sa.Text, nullable=False),
        sa.Column("match_score", sa.Integer, nullable=False),
        sa.Column("match_met", ARRAY(sa.Text), nullable=False),
        sa.Column("match_missing", ARRAY(sa.Text), nullable=False),
        sa.Column("review_state", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id", name="proposal_pkey"),
        sa.CheckConstraint(
            "review_state IN "
            "('UNREVIEWED', 'SHORTLISTED', 'MAYBE', 'RESUME_SENT', 'DECLINED', 'HIRED')",
            name="proposal_review_state_known",
        ),
        sa.CheckConstraint("rate_unit IN ('FIXED', 'HOUR', 'LABEL')", name="proposal_unit_known"),
        sa.CheckConstraint("rate > 0", name="proposal_rate_positive"),
        sa.CheckConstraint("version > 0", name="proposal_version_positive"),
        sa.CheckConstraint("match_score BETWEEN 0 AND 100", name="proposal_score_in_percent"),
        sa.CheckConstraint(
            "NOT (withdrawn AND (hire_id <> '' OR review_state = 'HIRED'))",
            name="proposal_withdrawn_is_free",
        ),
        sa.CheckConstraint(
            "NOT (hire_id <> '' AND review_state = 'HIRED')", name="proposal_hired_is_free"
        ),
        schema=SCHEMA,
    )
    orders = {"time": "create_time", "match": "match_score", "rate": "rate"}
    for name, column in orders.items():
        keys = ["job_id", "review_state", column, "proposal_id"]
        index = f"proposal_by_{name}"
        op.create_index(index, "proposal", keys, postgresql_where=LIVE, schema=SCHEMA)
    op.create_index(
        "proposal_one_live_per_trainer",
        "proposal",
        ["job_id", "trainer_id"],
        unique=True,
        postgresql_where=LIVE,
        schema=SCHEMA,
    )
    op.create_index(
        "proposal_by_trainer",
        "proposal",
        ["trainer_id", "create_time", "proposal_id"],
        schema=SCHEMA,
    )


def _create_reservation() -> None:
    op.create_table(
        "reservation",
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("contract_id", sa.Text),
        sa.PrimaryKeyConstraint("hire_id", name="reservation_pkey"),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            [f"{SCHEMA}.proposal.proposal_id"],
            name="reservation_proposal_id_fkey",
        ),
        sa.CheckConstraint(
            "state IN ('RESERVED', 'RELEASED', 'HIRED')", name="reservation_state_known"
        ),
        sa.CheckConstraint(
            "(state = 'HIRED') = (contract_id IS NOT NULL)", name="reservation_hired_by_contract"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "reservation_one_live_per_proposal",
        "reservation",
        ["proposal_id"],
        unique=True,
        postgresql_where=sa.text("state = 'RESERVED'"),
        schema=SCHEMA,
    )
