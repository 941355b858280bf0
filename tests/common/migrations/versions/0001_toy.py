import sqlalchemy as sa
from alembic import op

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables("toy")
    op.create_table(
        "thing",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        schema="toy",
    )
    op.create_table(
        "heard",
        sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("thing_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        schema="toy",
    )
