"""On whom a running hire waits and since when, so that operators find what is stuck."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = "hiring"


def upgrade() -> None:
    # The defaults are for the code before this migration, which writes neither.
    op.add_column(
        "hire",
        sa.Column("waits_on", sa.Text, nullable=False, server_default="US"),
        schema=SCHEMA,
    )
    op.add_column(
        "hire",
        sa.Column(
            "stands_since",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
        schema=SCHEMA,
    )
    op.execute(
        "UPDATE hiring.hire SET stands_since = update_time, waits_on = CASE waiting_for "
        "WHEN 'BANK' THEN 'PROVIDER' WHEN 'OPERATOR' THEN 'OPERATOR' ELSE 'CLIENT' END "
        "WHERE state = 'RUNNING' AND waiting_for IS NOT NULL"
    )
    op.create_check_constraint(
        "hire_waits_on_known",
        "hire",
        "waits_on IN ('CLIENT', 'PROVIDER', 'OPERATOR', 'US')",
        schema=SCHEMA,
    )
    op.create_index(
        "hire_standing",
        "hire",
        ["waits_on", "stands_since", "hire_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
