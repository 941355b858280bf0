"""Disputes of charges."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE contracts.dispute (
            dispute_id text NOT NULL,
            charge_id text NOT NULL,
            contract_id text NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            state text NOT NULL,
            open_time timestamptz NOT NULL,
            close_time timestamptz,
            CONSTRAINT dispute_pkey PRIMARY KEY (dispute_id),
            CONSTRAINT dispute_charge_id_fkey
                FOREIGN KEY (charge_id) REFERENCES contracts.charge (charge_id),
            CONSTRAINT dispute_contract_id_fkey
                FOREIGN KEY (contract_id) REFERENCES contracts.contract (contract_id),
            CONSTRAINT dispute_state_known CHECK (state IN ('OPEN', 'WON', 'LOST')),
            CONSTRAINT dispute_amount_positive CHECK (amount > 0),
            CONSTRAINT dispute_close_time_known
                CHECK ((state = 'OPEN') = (close_time IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX dispute_by_contract ON contracts.dispute (contract_id)")
    op.execute("CREATE INDEX charge_by_contract ON contracts.charge (contract_id)")
