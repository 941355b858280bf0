"""Whether hiring finished by itself, and an index on what hires hold in a job."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "jobs"

# Until now only the filling that finished hiring told so. Where a member reopened hiring after it
# and finished it again, this calls it finished by itself, as the code before did.
_LEARN = """
UPDATE jobs.job SET finished_by_itself = true
WHERE state = 'HIRING_DONE' AND EXISTS (
    SELECT FROM jobs.position_reservation AS held
    WHERE held.job_id = job.job_id AND held.state = 'FILLED' AND held.finished_hiring
)
"""


def upgrade() -> None:
    op.create_index(
        "position_reservation_by_job", "position_reservation", ["job_id", "state"], schema=SCHEMA
    )
    # With a default, for the code before this one writes jobs without it.
    op.add_column(
        "job",
        sa.Column("finished_by_itself", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=SCHEMA,
    )
    op.execute(_LEARN)
