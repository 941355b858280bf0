"""A list of a job's proposals in all review states is one index scan, in each order."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = "proposals"


def upgrade() -> None:
    for name, column in (
        ("time", "create_time"),
        ("match", "match_score"),
        ("rate", "rate"),
        ("interview", "interview_score"),
    ):
        op.create_index(
            f"proposal_live_by_{name}",
            "proposal",
            ["job_id", column, "proposal_id"],
            schema=SCHEMA,
            postgresql_where=sa.text("NOT withdrawn"),
        )
