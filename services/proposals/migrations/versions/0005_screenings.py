"""Screenings, and what a proposal shows of one."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0005"
down_revision = "0004"

SCHEMA = "proposals"


def upgrade() -> None:
    _create_screening()
    _extend_proposal()


def _create_screening() -> None:
    op.create_table(
        "screening",
        sa.Column("screening_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("plan_version", sa.BigInteger, nullable=False),
        sa.Column("plan_questions", JSONB, nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        sa.Column("answers_final", sa.Boolean, nullable=False),
        sa.Column("interview_score", sa.Integer),
        sa.Column("interview_summary", sa.Text),
        sa.Column("interview_transcript", JSONB),
        sa.Column("mismatch_signals", ARRAY(sa.Text)),
        sa.Column("interview_time", sa.TIMESTAMP(timezone=True)),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("complete_time", sa.TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("screening_id", name="screening_pkey"),
        sa.CheckConstraint("interview_score BETWEEN 0 AND 100", name="screening_score_in_percent"),
        sa.CheckConstraint(
            "num_nonnulls(interview_score, interview_summary, interview_transcript, "
            "mismatch_signals, interview_time) IN (0, 5)",
            name="screening_interview_whole",
        ),
        sa.CheckConstraint(
            "(complete_time IS NOT NULL) = (answers_final AND interview_time IS NOT NULL)",
            name="screening_complete_when_all_is_there",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "screening_one_per_trainer",
        "screening",
        ["job_id", "trainer_id"],
        unique=True,
        schema=SCHEMA,
    )
    op.create_index(
        "screening_complete",
        "screening",
        ["job_id", "complete_time", "screening_id"],
        postgresql_where=sa.text("complete_time IS NOT NULL"),
        schema=SCHEMA,
    )


def _extend_proposal() -> None:
    # The code before submits proposals without them.
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("screening_id", sa.Text),
        sa.Column("interview_score", sa.Integer, nullable=False, server_default="-1"),
        sa.Column("mismatch_signals", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("has_resume", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    for column in columns:
        op.add_column("proposal", column, schema=SCHEMA)
    op.create_foreign_key(
        "proposal_screening_id_fkey",
        "proposal",
        "screening",
        ["screening_id"],
        ["screening_id"],
        source_schema=SCHEMA,
        referent_schema=SCHEMA,
    )
    op.create_check_constraint(
        "proposal_interview_in_percent",
        "proposal",
        "interview_score BETWEEN -1 AND 100",
        schema=SCHEMA,
    )
    op.create_index(
        "proposal_by_interview",
        "proposal",
        ["job_id", "review_state", "interview_score", "proposal_id"],
        postgresql_where=sa.text("NOT withdrawn"),
        schema=SCHEMA,
    )
