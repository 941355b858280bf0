"""What jobs tell of their folders, screening plans and invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

SCHEMA = "proposals"


def upgrade() -> None:
    # The code before learns jobs without it.
    folder = sa.Column("folder_id", sa.Text, nullable=False, server_default="")
    op.add_column("job", folder, schema=SCHEMA)
    op.add_column("job", sa.Column("plan_version", sa.BigInteger), schema=SCHEMA)
    op.add_column("job", sa.Column("plan_questions", JSONB), schema=SCHEMA)
    op.create_index("job_by_folder", "job", ["folder_id", "job_id"], schema=SCHEMA)
    op.create_table(
        "invitation",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("trainer_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "trainer_id", name="invitation_pkey"),
        schema=SCHEMA,
    )
    op.create_index("invitation_by_trainer", "invitation", ["trainer_id", "job_id"], schema=SCHEMA)
    op.create_table(
        "folder",
        sa.Column("folder_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("folder_id", name="folder_pkey"),
        schema=SCHEMA,
    )
