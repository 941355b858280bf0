"""The tables of messaging."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData(schema="messaging")

# What the events of proposals told; no key of ours may make their word fail.
PROPOSAL = sa.Table(
    "proposal",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
)

# What the events of jobs and contracts told.
JOB = sa.Table(
    "job",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("adds_hires", sa.Boolean, nullable=False),
)

CONTRACT = sa.Table(
    "contract",
    METADATA,
    sa.Column("contract_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Index("contract_active", "job_id", "trainer_id", postgresql_where=sa.text("active")),
)

# A proposal has one thread; of job threads it may have more, when it is hired again after a hire
# that was refunded.
THREAD = sa.Table(
    "thread",
    METADATA,
    sa.Column("thread_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("proposal_id", sa.Text),
    sa.Column("contract_id", sa.Text, unique=True),
    sa.Column("message_count", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("last_message_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("change_count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Of a channel; empty for other threads.
    sa.Column("name", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Index(
        "thread_of_proposal",
        "proposal_id",
        unique=True,
        postgresql_where=sa.text("kind = 'PROPOSAL'"),
    ),
    sa.Index("thread_by_organisation", "organisation_id", "kind", "last_message_time", "thread_id"),
    sa.Index(
        "thread_by_job", "organisation_id", "job_id", "kind", "last_message_time", "thread_id"
    ),
)

# Kind, job and time are the thread's own, repeated so that a trainer's list is one index range
# too: the price is that a message touches the row of the trainer in its thread. In a channel,
# where thousands may be, it does not: the time there is that of joining, and means nothing.
PARTICIPANT = sa.Table(
    "thread_participant",
    METADATA,
    sa.Column("thread_id", sa.Text, sa.ForeignKey(THREAD.c.thread_id), primary_key=True),
    sa.Column("trainer_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("last_message_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column(
        "join_time", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Index("participant_by_trainer", "trainer_id", "kind", "last_message_time", "thread_id"),
    sa.Index(
        "participant_by_job", "trainer_id", "job_id", "kind", "last_message_time", "thread_id"
    ),
)

MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("thread_id", sa.Text, sa.ForeignKey(THREAD.c.thread_id), primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("message_id", sa.Text, unique=True, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sender_kind", sa.Text, nullable=False),
    sa.Column("sender_id", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    # Left out by whoever writes none, also the code before there were any.
    sa.Column("attachments", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("edit_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("edit_time", sa.TIMESTAMP(timezone=True)),
    sa.Column("delete_time", sa.TIMESTAMP(timezone=True)),
    # What somebody wrote among what somebody has read, without a look at what others wrote.
    sa.Index("message_by_sender", "thread_id", "sender_kind", "sender_id", "sequence"),
)

# What messages said before they were edited; gone when the message is deleted.
MESSAGE_VERSION = sa.Table(
    "message_version",
    METADATA,
    sa.Column("thread_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(["thread_id", "sequence"], [MESSAGE.c.thread_id, MESSAGE.c.sequence]),
)

# One row per thread and person who has read or written in it, an organisation's members each their
# own; nobody without one has read anything.
READ_MARK = sa.Table(
    "read_mark",
    METADATA,
    sa.Column("thread_id", sa.Text, sa.ForeignKey(THREAD.c.thread_id), primary_key=True),
    sa.Column("reader_kind", sa.Text, primary_key=True),
    sa.Column("reader_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("own_after", sa.BigInteger, nullable=False),
)

# What watchers are told, numbered 1, 2, 3 … in each thread by its `change_count`, whose row every
# writer locks: whoever has seen a number has seen all before it.
THREAD_CHANGE = sa.Table(
    "thread_change",
    METADATA,
    sa.Column("thread_id", sa.Text, sa.ForeignKey(THREAD.c.thread_id), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("person_kind", sa.Text),
    sa.Column("person_id", sa.Text),
)
