"""Contracts with their milestones, the charges, the ledger, the invoices."""

from alembic import op

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AGREEMENT = """
CREATE TABLE contracts.contract_claim (
    contract_id text NOT NULL,
    created boolean NOT NULL,
    CONSTRAINT contract_claim_pkey PRIMARY KEY (contract_id)
);
CREATE TABLE contracts.contract (
    contract_id text NOT NULL,
    organisation_id text NOT NULL,
    trainer_id text NOT NULL,
    job_id text NOT NULL,
    proposal_id text NOT NULL,
    hire_id text NOT NULL,
    state text NOT NULL,
    currency text NOT NULL,
    version bigint NOT NULL,
    create_time timestamptz NOT NULL,
    activate_time timestamptz,
    end_time timestamptz,
    CONSTRAINT contract_pkey PRIMARY KEY (contract_id),
    CONSTRAINT contract_currency_key UNIQUE (contract_id, currency),
    CONSTRAINT contract_contract_id_fkey
        FOREIGN KEY (contract_id) REFERENCES contracts.contract_claim (contract_id),
    CONSTRAINT contract_state_known
        CHECK (state IN ('PENDING', 'ACTIVE', 'ENDED', 'CANCELLED')),
    CONSTRAINT contract_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT contract_version_positive CHECK (version >= 1),
    CONSTRAINT contract_activate_time_known
        CHECK ((state IN ('ACTIVE', 'ENDED')) = (activate_time IS NOT NULL)),
    CONSTRAINT contract_end_time_known
        CHECK ((state IN ('ENDED', 'CANCELLED')) = (end_time IS NOT NULL))
);
CREATE UNIQUE INDEX contract_live_hire_key ON contracts.contract (hire_id)
    WHERE state IN ('PENDING', 'ACTIVE');
CREATE INDEX contract_by_organisation
    ON contracts.contract (organisation_id, state, create_time, contract_id);
CREATE INDEX contract_by_job ON contracts.contract (job_id, state, create_time, contract_id);
CREATE INDEX contract_by_trainer
    ON contracts.contract (trainer_id, state, create_time, contract_id);
CREATE TABLE contracts.milestone (
    milestone_id text NOT NULL,
    contract_id text NOT NULL,
    position integer NOT NULL,
    name text NOT NULL,
    scope text NOT NULL,
    amount bigint NOT NULL,
    due_date date,
    marketplace_fee bigint NOT NULL,
    contract_fee bigint NOT NULL,
    state text NOT NULL,
    disputed_in text,
    charge_id text,
    create_time timestamptz NOT NULL,
    fund_time timestamptz,
    CONSTRAINT milestone_pkey PRIMARY KEY (milestone_id),
    CONSTRAINT milestone_contract_id_position_key UNIQUE (contract_id, position),
    CONSTRAINT milestone_charge_id_key UNIQUE (charge_id),
    CONSTRAINT milestone_contract_id_fkey
        FOREIGN KEY (contract_id) REFERENCES contracts.contract (contract_id),
    CONSTRAINT milestone_state_known CHECK (state IN (
        'NOT_FUNDED', 'FUNDING', 'ACTIVE_FUNDED', 'PENDING_APPROVAL', 'RELEASING', 'PAID',
        'DISPUTED', 'CANCELLED', 'REFUNDED'
    )),
    CONSTRAINT milestone_disputed_in_known CHECK (
        (state = 'DISPUTED') = (disputed_in IS NOT NULL)
        AND disputed_in IN ('ACTIVE_FUNDED', 'PENDING_APPROVAL', 'RELEASING', 'PAID')
    ),
    CONSTRAINT milestone_amounts_in_limits CHECK (
        amount >= 50 AND marketplace_fee >= 0 AND contract_fee >= 0
        AND amount + marketplace_fee + contract_fee <= 99999999
    ),
    CONSTRAINT milestone_position_positive CHECK (position >= 1),
    CONSTRAINT milestone_funding_complete CHECK ((charge_id IS NULL) = (fund_time IS NULL)),
    CONSTRAINT milestone_charged_where_funded CHECK (
        charge_id IS NOT NULL
        OR state IN ('NOT_FUNDED', 'FUNDING', 'CANCELLED', 'REFUNDED')
    )
)
"""

_MONEY = """
CREATE TABLE contracts.charge (
    charge_id text NOT NULL,
    payment_intent_id text NOT NULL,
    funding_id text NOT NULL,
    contract_id text NOT NULL,
    milestone_id text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    refund_id text,
    record_time timestamptz NOT NULL,
    CONSTRAINT charge_pkey PRIMARY KEY (charge_id),
    CONSTRAINT charge_funding_id_key UNIQUE (funding_id),
    CONSTRAINT charge_refund_id_key UNIQUE (refund_id),
    CONSTRAINT charge_contract_id_fkey
        FOREIGN KEY (contract_id) REFERENCES contracts.contract (contract_id),
    CONSTRAINT charge_milestone_id_fkey
        FOREIGN KEY (milestone_id) REFERENCES contracts.milestone (milestone_id),
    CONSTRAINT charge_amount_positive CHECK (amount > 0)
);
CREATE TABLE contracts.ledger_entry (
    contract_id text NOT NULL,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    milestone_id text NOT NULL,
    external_id text NOT NULL,
    currency text NOT NULL,
    charged bigint NOT NULL,
    held bigint NOT NULL,
    transferred bigint NOT NULL,
    refunded bigint NOT NULL,
    charged_back bigint NOT NULL,
    fees bigint NOT NULL,
    platform_loss bigint NOT NULL,
    book_time timestamptz NOT NULL,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (contract_id, sequence),
    CONSTRAINT ledger_entry_kind_external_id_key UNIQUE (kind, external_id),
    CONSTRAINT ledger_entry_contract_currency_fkey FOREIGN KEY (contract_id, currency)
        REFERENCES contracts.contract (contract_id, currency),
    CONSTRAINT ledger_entry_milestone_id_fkey
        FOREIGN KEY (milestone_id) REFERENCES contracts.milestone (milestone_id),
    CONSTRAINT ledger_entry_kind_known CHECK (kind IN (
        'funding', 'refund', 'refund_failed', 'transfer', 'transfer_reversed', 'chargeback',
        'chargeback_reversed'
    )),
    CONSTRAINT ledger_entry_sequence_positive CHECK (sequence >= 1),
    CONSTRAINT ledger_entry_balances CHECK (
        charged + held + transferred + refunded + charged_back + fees + platform_loss = 0
    )
)
"""

_INVOICES = """
CREATE TABLE contracts.invoice (
    invoice_id text NOT NULL,
    organisation_id text NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    contract_id text NOT NULL,
    milestone_id text NOT NULL,
    lines jsonb NOT NULL,
    currency text NOT NULL,
    note text NOT NULL,
    issue_time timestamptz NOT NULL,
    CONSTRAINT invoice_pkey PRIMARY KEY (invoice_id),
    CONSTRAINT invoice_organisation_id_number_key UNIQUE (organisation_id, number),
    CONSTRAINT invoice_contract_id_fkey
        FOREIGN KEY (contract_id) REFERENCES contracts.contract (contract_id),
    CONSTRAINT invoice_milestone_id_fkey
        FOREIGN KEY (milestone_id) REFERENCES contracts.milestone (milestone_id),
    CONSTRAINT invoice_kind_known CHECK (kind IN ('FUNDING', 'PAYOUT_STATEMENT', 'CREDIT_NOTE')),
    CONSTRAINT invoice_number_positive CHECK (number >= 1)
);
CREATE UNIQUE INDEX invoice_one_per_funding ON contracts.invoice (milestone_id)
    WHERE kind = 'FUNDING';
CREATE INDEX invoice_by_contract ON contracts.invoice (contract_id, number);
CREATE TABLE contracts.invoice_counter (
    organisation_id text NOT NULL,
    last_number bigint NOT NULL,
    CONSTRAINT invoice_counter_pkey PRIMARY KEY (organisation_id),
    CONSTRAINT invoice_counter_last_number_positive CHECK (last_number >= 1)
)
"""

_REFUSE_CHANGE = """
CREATE FUNCTION contracts.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'contracts.% only grows: correct it by a further row', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""

_ONLY_GROWS = """
CREATE TRIGGER {table}_only_grows
    BEFORE UPDATE OR DELETE OR TRUNCATE ON contracts.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION contracts.refuse_change()
"""


def upgrade() -> None:
    create_chassis_tables("contracts")
    for statement in (*_AGREEMENT.split(";"), *_MONEY.split(";"), *_INVOICES.split(";")):
        op.execute(statement)
    op.execute(_REFUSE_CHANGE)
    for table in ("ledger_entry", "invoice"):
        op.execute(_ONLY_GROWS.format(table=table))
