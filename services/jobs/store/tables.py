"""The tables of jobs."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = sa.MetaData(schema="jobs")

FOLDER = sa.Table(
    "folder",
    METADATA,
    sa.Column("folder_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("colour", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
)
# One name, whatever the case; and the order of a list.
FOLDER_NAME = sa.func.lower(FOLDER.c.name)
sa.Index("folder_by_name", FOLDER.c.organisation_id, FOLDER_NAME, unique=True)

JOB = sa.Table(
    "job",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
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
    sa.Column("plan_prompt", sa.Text, nullable=False),
    sa.Column("plan_fields", JSONB, nullable=False),
    sa.Column("plan_version", sa.BigInteger, nullable=False),
    sa.Column("folder_id", sa.Text, sa.ForeignKey("jobs.folder.folder_id")),
    sa.Column("finished_by_itself", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("publish_time", sa.TIMESTAMP(timezone=True)),
    sa.Index("job_by_organisation", "organisation_id", "state", "create_time", "job_id"),
    sa.Index("job_by_category", "organisation_id", "category", "state", "create_time", "job_id"),
    sa.Index("job_by_folder", "folder_id", "state", "create_time", "job_id"),
)

RESERVATION = sa.Table(
    "position_reservation",
    METADATA,
    sa.Column("hire_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job.job_id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("contract_id", sa.Text, unique=True),
    sa.Column("finished_hiring", sa.Boolean, nullable=False),
    sa.Index("position_reservation_by_job", "job_id", "state"),
)

# A row per live proposal, so that an event which is told twice counts once, and the count beside
# it, so that reading a job costs the same at ten proposals and at a million. Neither refers to
# jobs.job: they are what another service told, and its word may not fail on a key of ours.
LIVE_PROPOSAL = sa.Table(
    "live_proposal",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
)

PROPOSAL_COUNT = sa.Table(
    "proposal_count",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("live", sa.BigInteger, nullable=False),
)


INSTRUCTIONS = sa.Table(
    "instructions",
    METADATA,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job.job_id"), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
)

# What contracts told of work on a job; as with proposals, nothing here refers to jobs.job.
CONTRACT = sa.Table(
    "contract",
    METADATA,
    sa.Column("contract_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Index("contract_by_job", "job_id", "trainer_id"),
)

MILESTONE = sa.Table(
    "milestone",
    METADATA,
    sa.Column("contract_id", sa.Text, primary_key=True),
    sa.Column("milestone_id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
)

INVITATION = sa.Table(
    "invitation",
    METADATA,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job.job_id"), primary_key=True),
    sa.Column("trainer_id", sa.Text, primary_key=True),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("invitation_by_time", "job_id", "create_time", "trainer_id"),
)
