"""Hires with terms, steps and requests; customers, fundings and refunds; the provider's events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.common.migrations import create_chassis_tables

revision = "0001"
down_revision = None

SCHEMA = "hiring"
TIME = sa.TIMESTAMP(timezone=True)
STAGES = (
    "'PROPOSAL_REVIEW', 'APPROVAL', 'CONTRACT_CREATION', 'FUNDING', 'CONTRACT_ACTIVATION', "
    "'THREAD_CREATION', 'COMPLETION', 'UNDOING', 'ENDED'"
)
WAITS = "'CLIENT_CONFIRMATION', 'PAYMENT_METHOD', 'BANK', 'APPROVAL', 'OPERATOR'"


def upgrade() -> None:
    create_chassis_tables(SCHEMA)
    _create_hire()
    _create_hire_terms()
    _create_hire_step()
    _create_request_claim()
    _create_approval()
    _create_customer()
    _create_funding()
    _create_refund()
    _create_stripe_event()


def _of_hire(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["hire_id"], ["hiring.hire.hire_id"], name=f"{table}_hire_id_fkey"
    )


def _create_hire() -> None:
    texts = ("hire_id", "proposal_id", "job_id", "organisation_id", "trainer_id", "customer_id")
    unique = ("contract_id", "milestone_id", "charge_id", "thread_id")
    op.create_table(
        "hire",
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("requested_by_kind", sa.Text, nullable=False),
        sa.Column("requested_by_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("waiting_for", sa.Text),
        sa.Column("wait_deadline", TIME),
        sa.Column("blocked_reason", sa.Text),
        sa.Column("end_reason", sa.Text),
        sa.Column("decline_code", sa.Text),
        sa.Column("contract_id", sa.Text),
        sa.Column("milestone_id", sa.Text),
        sa.Column("funding_id", sa.Text),
        sa.Column("payment_intent_id", sa.Text),
        sa.Column("charge_id", sa.Text),
        sa.Column("thread_id", sa.Text),
        sa.Column("start_sent_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("create_time", TIME, nullable=False),
        sa.Column("update_time", TIME, nullable=False),
        sa.Column("end_time", TIME),
        sa.PrimaryKeyConstraint("hire_id", name="hire_pkey"),
        *(sa.UniqueConstraint(name, name=f"hire_{name}_key") for name in unique),
        sa.CheckConstraint("state IN ('RUNNING', 'HIRED', 'UNDONE')", name="hire_state_known"),
        sa.CheckConstraint(f"stage IN ({STAGES})", name="hire_stage_known"),
        sa.CheckConstraint(f"waiting_for IN ({WAITS})", name="hire_waiting_for_known"),
        sa.CheckConstraint("step >= 1 AND revision >= 1", name="hire_counts_positive"),
        sa.CheckConstraint(
            "(state = 'RUNNING') = (end_time IS NULL) AND (state = 'RUNNING') = (stage <> 'ENDED')",
            name="hire_ends_at_a_time",
        ),
        sa.CheckConstraint("state <> 'UNDONE' OR end_reason IS NOT NULL", name="hire_undone_why"),
        sa.CheckConstraint("state <> 'HIRED' OR charge_id IS NOT NULL", name="hire_hired_paid"),
        schema=SCHEMA,
    )
    for what in ("organisation", "job", "proposal"):
        op.create_index(
            f"hire_by_{what}", "hire", [f"{what}_id", "create_time", "hire_id"], schema=SCHEMA
        )
    op.create_index(
        "hire_live_proposal_key",
        "hire",
        ["proposal_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('RUNNING', 'HIRED')"),
    )
    op.create_index(
        "hire_not_started",
        "hire",
        ["create_time"],
        schema=SCHEMA,
        postgresql_where=sa.text("started_at IS NULL AND state = 'RUNNING'"),
    )


def _create_hire_terms() -> None:
    op.create_table(
        "hire_terms",
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("marketplace_fee", sa.BigInteger, nullable=False),
        sa.Column("contract_fee", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("due_date", sa.Date),
        sa.Column("confirm_declined", sa.Boolean, nullable=False),
        sa.Column("payment_method_id", sa.Text),
        sa.Column("requested_by_kind", sa.Text, nullable=False),
        sa.Column("requested_by_id", sa.Text, nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("refused_reason", sa.Text),
        sa.PrimaryKeyConstraint("hire_id", "revision", name="hire_terms_pkey"),
        _of_hire("hire_terms"),
        sa.CheckConstraint("revision >= 1", name="hire_terms_revision_positive"),
        sa.CheckConstraint(
            "amount > 0 AND marketplace_fee >= 0 AND contract_fee >= 0",
            name="hire_terms_amounts_sound",
        ),
        sa.CheckConstraint(
            "verdict IN ('OFFERED', 'ACCEPTED', 'REFUSED')", name="hire_terms_verdict_known"
        ),
        sa.CheckConstraint(
            "(verdict = 'REFUSED') = (refused_reason IS NOT NULL)", name="hire_terms_refused_why"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "hire_terms_by_payment_method",
        "hire_terms",
        ["payment_method_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("verdict <> 'REFUSED'"),
    )


def _create_hire_step() -> None:
    op.create_table(
        "hire_step",
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("waiting_for", sa.Text),
        sa.Column("wait_deadline", TIME),
        sa.Column("stripe_object_id", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hire_id", "number", name="hire_step_pkey"),
        _of_hire("hire_step"),
        sa.CheckConstraint("number >= 1", name="hire_step_number_positive"),
        sa.CheckConstraint(f"stage IN ({STAGES})", name="hire_step_stage_known"),
        sa.CheckConstraint(f"waiting_for IN ({WAITS})", name="hire_step_waiting_for_known"),
        schema=SCHEMA,
    )


def _create_request_claim() -> None:
    op.create_table(
        "request_claim",
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("hire_id", sa.Text),
        sa.Column("revision", sa.Integer),
        sa.Column("after_step", sa.BigInteger),
        sa.PrimaryKeyConstraint("principal", "request_id", name="request_claim_pkey"),
        _of_hire("request_claim"),
        schema=SCHEMA,
    )


def _create_approval() -> None:
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("expire_time", TIME, nullable=False),
        sa.Column("decided_by_kind", sa.Text),
        sa.Column("decided_by_id", sa.Text),
        sa.Column("decided_at", TIME),
        sa.PrimaryKeyConstraint("approval_id", name="approval_pkey"),
        _of_hire("approval"),
        sa.UniqueConstraint("hire_id", "revision", name="approval_hire_id_revision_key"),
        sa.CheckConstraint(
            "state IN ('PENDING', 'APPROVED', 'DECLINED', 'EXPIRED', 'SUPERSEDED')",
            name="approval_state_known",
        ),
        schema=SCHEMA,
    )


def _create_customer() -> None:
    op.create_table(
        "customer",
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("default_method_id", sa.Text),
        sa.Column("create_time", TIME, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name="customer_pkey"),
        sa.UniqueConstraint("customer_id", name="customer_customer_id_key"),
        schema=SCHEMA,
    )


def _create_funding() -> None:
    op.create_table(
        "funding",
        sa.Column("funding_id", sa.Text, nullable=False),
        sa.Column("hire_id", sa.Text, nullable=False),
        sa.Column("milestone_id", sa.Text, nullable=False),
        sa.Column("contract_id", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.Text, nullable=False),
        sa.Column("workflow_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("intent_id", sa.Text),
        sa.Column("charge_id", sa.Text),
        sa.Column("create_sent_at", TIME),
        sa.Column("create_time", TIME, nullable=False),
        sa.Column("update_time", TIME, nullable=False),
        sa.PrimaryKeyConstraint("funding_id", name="funding_pkey"),
        _of_hire("funding"),
        sa.UniqueConstraint("intent_id", name="funding_intent_id_key"),
        sa.UniqueConstraint("charge_id", name="funding_charge_id_key"),
        sa.CheckConstraint("amount > 0", name="funding_amount_positive"),
        sa.CheckConstraint(
            "state IN ('OPEN', 'PAID', 'CANCELED', 'REFUNDED')", name="funding_state_known"
        ),
        sa.CheckConstraint(
            "state NOT IN ('PAID', 'REFUNDED') OR charge_id IS NOT NULL",
            name="funding_paid_by_charge",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "funding_live_milestone_key",
        "funding",
        ["milestone_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('OPEN', 'PAID')"),
    )


def _create_refund() -> None:
    op.create_table(
        "refund",
        sa.Column("refund_id", sa.Text, nullable=False),
        sa.Column("funding_id", sa.Text, nullable=False),
        sa.Column("charge_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text),
        sa.Column("sent_at", TIME),
        sa.Column("create_time", TIME, nullable=False),
        sa.PrimaryKeyConstraint("refund_id", name="refund_pkey"),
        sa.ForeignKeyConstraint(
            ["funding_id"], ["hiring.funding.funding_id"], name="refund_funding_id_fkey"
        ),
        sa.UniqueConstraint("funding_id", name="refund_funding_id_key"),
        sa.UniqueConstraint("provider_id", name="refund_provider_id_key"),
        sa.CheckConstraint("amount > 0", name="refund_amount_positive"),
        sa.CheckConstraint("state IN ('PLANNED', 'CREATED', 'FAILED')", name="refund_state_known"),
        sa.CheckConstraint(
            "(state = 'PLANNED') = (provider_id IS NULL)", name="refund_created_by_provider"
        ),
        schema=SCHEMA,
    )


def _create_stripe_event() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("funding_id", sa.Text),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("route", sa.Text),
        sa.Column("routed_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="stripe_event_pkey"),
        sa.CheckConstraint("attempts >= 0", name="stripe_event_attempts_counted"),
        sa.CheckConstraint(
            "route IN ('HINTED', 'LATE_FACT', 'UNROUTABLE', 'WAITING', 'IGNORED')",
            name="stripe_event_route_known",
        ),
        sa.CheckConstraint(
            "(routed_at IS NULL) = (route IS NULL OR route = 'WAITING')",
            name="stripe_event_routed_somewhere",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "stripe_event_not_routed",
        "stripe_event",
        ["next_try_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("routed_at IS NULL"),
    )
