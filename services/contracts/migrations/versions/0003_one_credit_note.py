"""A milestone is given back in full once, so one credit note at most says so."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE UNIQUE INDEX invoice_one_credit_per_milestone ON contracts.invoice (milestone_id) "
        "WHERE kind = 'CREDIT_NOTE'"
    )
