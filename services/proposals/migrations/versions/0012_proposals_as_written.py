"""A proposal keeps what never changes of it as the API writes it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

SCHEMA = "proposals"


def upgrade() -> None:
    # NULL for the rows of before: they are written from their columns when they are listed.
    op.add_column("proposal", sa.Column("written", sa.LargeBinary), schema=SCHEMA)
