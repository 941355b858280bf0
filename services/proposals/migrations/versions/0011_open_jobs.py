"""When jobs were published, and the open ones in that order."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = "proposals"


def upgrade() -> None:
    # The epoch for the jobs that the code before learns, and for those that were told of before:
    # they come last among equals until `hireflow events rebuild` reads their events again.
    column = sa.Column(
        "publish_time",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.text("'epoch'"),
    )
    op.add_column("job", column, schema=SCHEMA)
    op.create_index(
        "job_open_to_all",
        "job",
        ["publish_time", "job_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'PUBLISHED' AND visibility = 'PUBLIC'"),
    )
