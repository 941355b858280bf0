"""What employers note on proposals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "proposals"


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("note_id", sa.Text, nullable=False),
        sa.Column("proposal_id", sa.Text, nullable=False),
        sa.Column("author_kind", sa.Text, nullable=False),
        sa.Column("author_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("note_id", name="note_pkey"),
        sa.ForeignKeyConstraint(
            ["proposal_id"], [f"{SCHEMA}.proposal.proposal_id"], name="note_proposal_id_fkey"
        ),
        schema=SCHEMA,
    )
    keys = ["proposal_id", "create_time", "note_id"]
    op.create_index("note_by_proposal", "note", keys, schema=SCHEMA)
