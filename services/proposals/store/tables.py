"""The tables of proposals."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = sa.MetaData(schema="proposals")

OPEN_TO_ALL = sa.text("state = 'PUBLISHED' AND visibility = 'PUBLIC'")
# What the events of jobs told; no check of ours may make their word fail.
JOB = sa.Table(
    "job",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("required_languages", ARRAY(sa.Text), nullable=False),
    sa.Column("required_skills", ARRAY(sa.Text), nullable=False),
    sa.Column("required_countries", ARRAY(sa.Text), nullable=False),
    # Empty when the job is in none.
    sa.Column("folder_id", sa.Text, nullable=False),
    sa.Column("plan_version", sa.BigInteger),
    sa.Column("plan_questions", JSONB(none_as_null=True)),
    # The epoch until the event of it has come.
    sa.Column("publish_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("job_by_folder", "folder_id", "job_id"),
    sa.Index("job_open_to_all", "publish_time", "job_id", postgresql_where=OPEN_TO_ALL),
)

# Who is invited to a job now.
INVITATION = sa.Table(
    "invitation",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("trainer_id", sa.Text, primary_key=True),
    sa.Index("invitation_by_trainer", "trainer_id", "job_id"),
)

# The folders that are there; the jobs' own events tell which are in one.
FOLDER = sa.Table(
    "folder",
    METADATA,
    sa.Column("folder_id", sa.Text, primary_key=True),
    sa.Column("organisation_id", sa.Text, nullable=False),
)

PROFILE = sa.Table(
    "profile",
    METADATA,
    sa.Column("trainer_id", sa.Text, primary_key=True),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("languages", ARRAY(sa.Text), nullable=False),
    sa.Column("skills", ARRAY(sa.Text), nullable=False),
    sa.Column("resume_reference", sa.Text, nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
)

COMPLETE = sa.text("complete_time IS NOT NULL")
# One per trainer and job. The questions are the plan's as the screening began with it.
SCREENING = sa.Table(
    "screening",
    METADATA,
    sa.Column("screening_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("plan_version", sa.BigInteger, nullable=False),
    sa.Column("plan_questions", JSONB, nullable=False),
    sa.Column("answers", JSONB, nullable=False),
    sa.Column("answers_final", sa.Boolean, nullable=False),
    sa.Column("interview_score", sa.Integer),
    sa.Column("interview_summary", sa.Text),
    sa.Column("interview_transcript", JSONB(none_as_null=True)),
    sa.Column("mismatch_signals", ARRAY(sa.Text)),
    sa.Column("interview_time", sa.TIMESTAMP(timezone=True)),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("complete_time", sa.TIMESTAMP(timezone=True)),
    sa.Index("screening_one_per_trainer", "job_id", "trainer_id", unique=True),
    sa.Index(
        "screening_complete",
        "job_id",
        "complete_time",
        "screening_id",
        postgresql_where=COMPLETE,
    ),
    *(
        sa.Index(
            f"screening_complete_by_{name}",
            "job_id",
            column,
            "screening_id",
            postgresql_where=COMPLETE,
        )
        for name, column in (
            ("score", "interview_score"),
            ("name", "display_name"),
            ("country", "country"),
        )
    ),
)

# The plans that complete screenings went by: the columns of a folder's table. A trigger on the
# screenings keeps this table and the next.
PLAN = sa.Table(
    "plan",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("questions", JSONB, nullable=False),
)

# The answers of complete screenings, each with what a folder's table is sorted by: a number, or
# the beginning of the text in lower case; the other one is 0 or empty.
ANSWER = sa.Table(
    "answer",
    METADATA,
    sa.Column("screening_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("number", sa.Double, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["screening_id"], [SCREENING.c.screening_id], name="answer_screening_id_fkey"
    ),
    sa.Index("answer_by_value", "job_id", "key", "kind", "number", "text", "screening_id"),
)

# How many live proposals of a job are in each review state: a column per state, so that every
# write locks one row. A trigger on the proposals keeps it, whatever code writes them.
PROPOSAL_COUNT = sa.Table(
    "proposal_count",
    METADATA,
    sa.Column("job_id", sa.Text, primary_key=True),
    *(
        sa.Column(state, sa.BigInteger, nullable=False)
        for state in ("unreviewed", "shortlisted", "maybe", "resume_sent", "declined", "hired")
    ),
)

LIVE = sa.text("NOT withdrawn")
# `hire_id` repeats what `reservation` says, so that one row answers a read; both are written under
# the lock on this row.
PROPOSAL = sa.Table(
    "proposal",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text, nullable=False),
    sa.Column("trainer_id", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("rate", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("rate_unit", sa.Text, nullable=False),
    sa.Column("match_score", sa.Integer, nullable=False),
    sa.Column("match_met", ARRAY(sa.Text), nullable=False),
    sa.Column("match_missing", ARRAY(sa.Text), nullable=False),
    sa.Column("review_state", sa.Text, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("hire_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("update_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("screening_id", sa.Text),
    # What a list shows of the screening and the profile. -1 stands for no interview: an order
    # without NULLs is one index range.
    sa.Column("interview_score", sa.Integer, nullable=False),
    sa.Column("mismatch_signals", ARRAY(sa.Text), nullable=False),
    sa.Column("has_resume", sa.Boolean, nullable=False),
    # What never changes of it, as the API writes it, so that a list is read and not made. NULL in
    # the rows of before, and after a migration that adds to what the API shows.
    sa.Column("written", sa.LargeBinary),
    sa.ForeignKeyConstraint(
        ["screening_id"], [SCREENING.c.screening_id], name="proposal_screening_id_fkey"
    ),
    sa.Index(
        "proposal_one_live_per_trainer", "job_id", "trainer_id", unique=True, postgresql_where=LIVE
    ),
    # Each order twice: of one review state, and of all.
    *(
        sa.Index(
            f"proposal_{prefix}by_{name}",
            "job_id",
            *states,
            column,
            "proposal_id",
            postgresql_where=LIVE,
        )
        for prefix, states in (("", ("review_state",)), ("live_", ()))
        for name, column in (
            ("time", "create_time"),
            ("match", "match_score"),
            ("rate", "rate"),
            ("interview", "interview_score"),
        )
    ),
    sa.Index("proposal_by_trainer", "trainer_id", "create_time", "proposal_id"),
)

NOTE = sa.Table(
    "note",
    METADATA,
    sa.Column("note_id", sa.Text, primary_key=True),
    sa.Column("proposal_id", sa.Text, nullable=False),
    sa.Column("author_kind", sa.Text, nullable=False),
    sa.Column("author_id", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(
        ["proposal_id"], [PROPOSAL.c.proposal_id], name="note_proposal_id_fkey"
    ),
    sa.Index("note_by_proposal", "proposal_id", "create_time", "note_id"),
)

RESERVATION = sa.Table(
    "reservation",
    METADATA,
    sa.Column("hire_id", sa.Text, primary_key=True),
    sa.Column("proposal_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("contract_id", sa.Text),
    # The review state in which HIRED found the proposal.
    sa.Column("reviewed", sa.Text),
    sa.Column(
        "reserve_time", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Index("reservation_by_proposal", "proposal_id", "reserve_time", "hire_id"),
    sa.ForeignKeyConstraint(
        ["proposal_id"], [PROPOSAL.c.proposal_id], name="reservation_proposal_id_fkey"
    ),
    sa.Index(
        "reservation_one_live_per_proposal",
        "proposal_id",
        unique=True,
        postgresql_where=sa.text("state = 'RESERVED'"),
    ),
)

# What the events of threads told, for the employer's screen of a proposal.
THREAD = sa.Table(
    "thread",
    METADATA,
    sa.Column("proposal_id", sa.Text, primary_key=True),
    sa.Column("thread_id", sa.Text, nullable=False),
)
