"""What the review said when a hire ended HIRED, so that giving it all back restores it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "proposals"


def upgrade() -> None:
    op.add_column("reservation", sa.Column("reviewed", sa.Text), schema=SCHEMA)
    op.create_check_constraint(
        "reservation_reviewed_known",
        "reservation",
        "reviewed IN ('UNREVIEWED', 'SHORTLISTED', 'MAYBE', 'RESUME_SENT', 'DECLINED')",
        schema=SCHEMA,
    )
