"""The tables of the schema `hiring`."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from workflows.hiring.domain import FundingState, HireState, Verdict

METADATA = sa.MetaData(schema="hiring")


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


HIRE = sa.Table(
    "hire",
    METADATA,
    sa.Column("hire_id", sa.Text, primary_key=True),
    _text("proposal_id"),
    _text("job_id"),
    _text("organisation_id"),
    _text("trainer_id"),
    _text("customer_id"),
    _text("requested_by_kind"),
    _text("requested_by_id"),
    _text("state"),
    _text("stage"),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("waiting_for", sa.Text),
    _time("wait_deadline"),
    sa.Column("blocked_reason", sa.Text),
    sa.Column("end_reason", sa.Text),
    sa.Column("decline_code", sa.Text),
    sa.Column("contract_id", sa.Text, unique=True),
    sa.Column("milestone_id", sa.Text, unique=True),
    sa.Column("funding_id", sa.Text),
    sa.Column("payment_intent_id", sa.Text),
    sa.Column("charge_id", sa.Text, unique=True),
    sa.Column("thread_id", sa.Text, unique=True),
    sa.Column("waits_on", sa.Text, nullable=False, server_default="US"),
    sa.Column(
        "stands_since", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    # Whether its workflow was started, and when that was tried last.
    _time("start_sent_at", nullable=False),
    _time("started_at"),
    _time("create_time", nullable=False),
    _time("update_time", nullable=False),
    _time("end_time"),
    sa.Index("hire_by_organisation", "organisation_id", "state", "create_time", "hire_id"),
    sa.Index("hire_by_job", "job_id", "organisation_id", "state", "create_time", "hire_id"),
    sa.Index("hire_by_proposal", "proposal_id", "create_time", "hire_id"),
)
# A proposal is being hired, or is hired, at most once: Temporal's workflow id says it while its
# retention lasts, this key for ever.
sa.Index(
    "hire_live_proposal_key",
    HIRE.c.proposal_id,
    unique=True,
    postgresql_where=HIRE.c.state.in_([HireState.RUNNING.value, HireState.HIRED.value]),
)
sa.Index(
    "hire_not_started",
    HIRE.c.create_time,
    postgresql_where=HIRE.c.started_at.is_(None) & (HIRE.c.state == HireState.RUNNING.value),
)
# The sweep walks through what runs, however many hires have ended.
sa.Index("hire_running", HIRE.c.hire_id, postgresql_where=HIRE.c.state == HireState.RUNNING.value)

# What operators ask for: the hires that wait on somebody, the longest standing first.
sa.Index(
    "hire_standing",
    HIRE.c.waits_on,
    HIRE.c.stands_since,
    HIRE.c.hire_id,
    postgresql_where=HIRE.c.state == HireState.RUNNING.value,
)

HIRE_TERMS = sa.Table(
    "hire_terms",
    METADATA,
    sa.Column("hire_id", sa.Text, sa.ForeignKey("hiring.hire.hire_id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    _text("name"),
    _text("scope"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("marketplace_fee", sa.BigInteger, nullable=False),
    sa.Column("contract_fee", sa.BigInteger, nullable=False),
    _text("currency"),
    sa.Column("due_date", sa.Date),
    sa.Column("confirm_declined", sa.Boolean, nullable=False),
    sa.Column("payment_method_id", sa.Text),
    _text("requested_by_kind"),
    _text("requested_by_id"),
    _time("requested_at", nullable=False),
    _text("fingerprint"),
    _text("verdict"),
    sa.Column("refused_reason", sa.Text),
)
sa.Index(
    "hire_terms_by_payment_method",
    HIRE_TERMS.c.payment_method_id,
    postgresql_where=(HIRE_TERMS.c.verdict != Verdict.REFUSED.value),
)

HIRE_STEP = sa.Table(
    "hire_step",
    METADATA,
    sa.Column("hire_id", sa.Text, sa.ForeignKey("hiring.hire.hire_id"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    _text("stage"),
    _text("what"),
    sa.Column("waiting_for", sa.Text),
    _time("wait_deadline"),
    sa.Column("stripe_object_id", sa.Text),
    sa.Column("reason", sa.Text),
    _text("actor_kind"),
    _text("actor_id"),
    _time("time", nullable=False),
)

# Beside the chassis' `request`, which keeps an answer: a claim names its hire for ever, and the
# answer to its repeat is that hire as it stands then.
REQUEST_CLAIM = sa.Table(
    "request_claim",
    METADATA,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("request_id", sa.Text, primary_key=True),
    _text("method"),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    _time("claimed_at", nullable=False),
    sa.Column("hire_id", sa.Text, sa.ForeignKey("hiring.hire.hire_id")),
    sa.Column("revision", sa.Integer),
    sa.Column("after_step", sa.BigInteger),
)

APPROVAL = sa.Table(
    "approval",
    METADATA,
    sa.Column("approval_id", sa.Text, primary_key=True),
    sa.Column("hire_id", sa.Text, sa.ForeignKey("hiring.hire.hire_id"), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("state"),
    _time("requested_at", nullable=False),
    _time("expire_time", nullable=False),
    sa.Column("decided_by_kind", sa.Text),
    sa.Column("decided_by_id", sa.Text),
    _time("decided_at"),
    sa.UniqueConstraint("hire_id", "revision", name="approval_hire_id_revision_key"),
)

CUSTOMER = sa.Table(
    "customer",
    METADATA,
    sa.Column("organisation_id", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, unique=True),
    sa.Column("default_method_id", sa.Text),
    _time("create_time", nullable=False),
)

FUNDING = sa.Table(
    "funding",
    METADATA,
    sa.Column("funding_id", sa.Text, primary_key=True),
    sa.Column("hire_id", sa.Text, sa.ForeignKey("hiring.hire.hire_id"), nullable=False),
    _text("milestone_id"),
    _text("contract_id"),
    _text("organisation_id"),
    _text("workflow_id"),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("customer_id"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    _text("currency"),
    _text("state"),
    sa.Column("intent_id", sa.Text, unique=True),
    sa.Column("charge_id", sa.Text, unique=True),
    _time("create_sent_at"),
    sa.Column("creates_failed", sa.Integer, nullable=False, server_default="0"),
    _time("create_time", nullable=False),
    _time("update_time", nullable=False),
    sa.Index("funding_by_hire", "hire_id"),
)
sa.Index(
    "funding_open",
    FUNDING.c.create_time,
    postgresql_where=FUNDING.c.state == FundingState.OPEN.value,
)
sa.Index(
    "funding_live_milestone_key",
    FUNDING.c.milestone_id,
    unique=True,
    postgresql_where=FUNDING.c.state.in_([FundingState.OPEN.value, FundingState.PAID.value]),
)

REFUND = sa.Table(
    "refund",
    METADATA,
    sa.Column("refund_id", sa.Text, primary_key=True),
    sa.Column("funding_id", sa.Text, sa.ForeignKey("hiring.funding.funding_id"), nullable=False),
    _text("charge_id"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    _text("state"),
    sa.Column("provider_id", sa.Text, unique=True),
    _time("sent_at"),
    _time("create_time", nullable=False),
    sa.UniqueConstraint("funding_id", name="refund_funding_id_key"),
)

STRIPE_EVENT = sa.Table(
    "stripe_event",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    _text("type"),
    _text("object_id"),
    sa.Column("funding_id", sa.Text),
    sa.Column("payload", JSONB, nullable=False),
    _time("received_at", nullable=False),
    sa.Column("route", sa.Text),
    _time("routed_at"),
    sa.Column("attempts", sa.Integer, nullable=False),
    _time("next_try_at", nullable=False),
)
sa.Index(
    "stripe_event_not_routed",
    STRIPE_EVENT.c.next_try_at,
    postgresql_where=STRIPE_EVENT.c.routed_at.is_(None),
)
