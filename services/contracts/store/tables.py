"""The tables of contracts, as the migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.contracts.domain import Account

METADATA = sa.MetaData(schema="contracts")


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=nullable)


def _contract() -> sa.Column[str]:
    key = sa.ForeignKey("contracts.contract.contract_id")
    return sa.Column("contract_id", sa.Text, key, nullable=False)


def _milestone() -> sa.Column[str]:
    key = sa.ForeignKey("contracts.milestone.milestone_id")
    return sa.Column("milestone_id", sa.Text, key, nullable=False)


# The first word on a contract's id, for ever: it was created, or cancelled before it could be.
# One unique key decides between a creation and a cancel that overtook it.
CONTRACT_CLAIM = sa.Table(
    "contract_claim",
    METADATA,
    sa.Column("contract_id", sa.Text, primary_key=True),
    sa.Column("created", sa.Boolean, nullable=False),
)

CONTRACT = sa.Table(
    "contract",
    METADATA,
    sa.Column(
        "contract_id",
        sa.Text,
        sa.ForeignKey("contracts.contract_claim.contract_id"),
        primary_key=True,
    ),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("proposal_id", sa.Text, nullable=False),
    sa.Column("hire_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    _time("create_time"),
    _time("activate_time", nullable=True),
    _time("end_time", nullable=True),
    sa.UniqueConstraint("contract_id", "currency", name="contract_currency_key"),
    sa.Index(
        "contract_live_hire_key",
        "hire_id",
        unique=True,
        postgresql_where=sa.text("state IN ('PENDING', 'ACTIVE')"),
    ),
    sa.Index("contract_by_organisation", "organisation_id", "state", "create_time", "contract_id"),
    sa.Index("contract_by_job", "job_id", "organisation_id", "state", "create_time", "contract_id"),
    sa.Index("contract_by_trainer", "trainer_id", "state", "create_time", "contract_id"),
    # What is proved of an organisation: its ledgers in the order of their ids.
    sa.Index("contract_books", "organisation_id", "contract_id"),
)

# A milestone's currency is its contract's.
MILESTONE = sa.Table(
    "milestone",
    METADATA,
    sa.Column("milestone_id", sa.Text, primary_key=True),
    _contract(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("due_date", sa.Date),
    sa.Column("marketplace_fee", sa.BigInteger, nullable=False),
    sa.Column("contract_fee", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("disputed_in", sa.Text),
    sa.Column("charge_id", sa.Text, unique=True),
    _time("create_time"),
    _time("fund_time", nullable=True),
    sa.UniqueConstraint("contract_id", "position", name="milestone_contract_id_position_key"),
)

# What each Stripe charge was booked as: the key that makes booking it again change nothing.
CHARGE = sa.Table(
    "charge",
    METADATA,
    sa.Column("charge_id", sa.Text, primary_key=True),
    sa.Column("payment_intent_id", sa.Text, nullable=False),
    sa.Column("funding_id", sa.Text, nullable=False, unique=True),
    _contract(),
    _milestone(),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("refund_id", sa.Text, unique=True),
    _time("record_time"),
    sa.Index("charge_by_contract", "contract_id"),
)

# How each dispute of a charge stands; what it did to the money is in the ledger.
DISPUTE = sa.Table(
    "dispute",
    METADATA,
    sa.Column("dispute_id", sa.Text, primary_key=True),
    sa.Column("charge_id", sa.Text, sa.ForeignKey("contracts.charge.charge_id"), nullable=False),
    _contract(),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    _time("open_time"),
    _time("close_time", nullable=True),
    sa.Index("dispute_by_contract", "contract_id"),
)

# An entry and its postings are one row, a column per account: that the postings sum to zero is a
# plain CHECK, which no path around the domain avoids and no commit has to wait for. A trigger
# refuses to change or delete what is booked.
LEDGER_ENTRY = sa.Table(
    "ledger_entry",
    METADATA,
    sa.Column("contract_id", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _milestone(),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    *(sa.Column(account.lower(), sa.BigInteger, nullable=False) for account in Account),
    _time("book_time"),
    sa.PrimaryKeyConstraint("contract_id", "sequence", name="ledger_entry_pkey"),
    sa.UniqueConstraint("kind", "external_id", name="ledger_entry_kind_external_id_key"),
    sa.ForeignKeyConstraint(
        ["contract_id", "currency"],
        ["contracts.contract.contract_id", "contracts.contract.currency"],
        name="ledger_entry_contract_currency_fkey",
    ),
)

INVOICE = sa.Table(
    "invoice",
    METADATA,
    sa.Column("invoice_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _contract(),
    _milestone(),
    sa.Column("lines", JSONB, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    _time("issue_time"),
    sa.UniqueConstraint("organisation_id", "number", name="invoice_organisation_id_number_key"),
    sa.Index(
        "invoice_one_per_funding",
        "milestone_id",
        unique=True,
        postgresql_where=sa.text("kind = 'FUNDING'"),
    ),
    sa.Index(
        "invoice_one_credit_per_milestone",
        "milestone_id",
        unique=True,
        postgresql_where=sa.text("kind = 'CREDIT_NOTE'"),
    ),
    sa.Index("invoice_by_contract", "contract_id", "number"),
)

# Its row is locked until the invoice that took the number commits, or gives it back by rolling
# back: that is why there are no gaps, and why a sequence would not do.
INVOICE_COUNTER = sa.Table(
    "invoice_counter",
    METADATA,
    sa.Column("organisation_id", sa.Text, primary_key=True),
    sa.Column("last_number", sa.BigInteger, nullable=False),
)
