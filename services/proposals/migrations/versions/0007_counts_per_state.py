"""How many live proposals of a job are in each review state, kept by a trigger.

A trigger and not the code that writes proposals: while a version of it that knows nothing of the
counts still runs beside this one, they stay right.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = "proposals"
STATES = ("unreviewed", "shortlisted", "maybe", "resume_sent", "declined", "hired")


def upgrade() -> None:
    op.create_table(
        "proposal_count",
        sa.Column("job_id", sa.Text, nullable=False),
        *(sa.Column(state, sa.BigInteger, nullable=False) for state in STATES),
        sa.PrimaryKeyConstraint("job_id", name="proposal_count_pkey"),
        *(
            sa.CheckConstraint(f"{state} >= 0", name=f"proposal_count_{state}_not_negative")
            for state in STATES
        ),
        schema=SCHEMA,
    )
    columns = ", ".join(STATES)
    added = ", ".join(f"{state} = proposal_count.{state} + excluded.{state}" for state in STATES)
    first = ", ".join(f"(came AND NEW.review_state = '{state.upper()}')::int" for state in STATES)
    moved = ", ".join(
        f"{state} = {state} + (came AND NEW.review_state = '{state.upper()}')::int"
        f" - (went AND OLD.review_state = '{state.upper()}')::int"
        for state in STATES
    )
    # Made of the constants above.
    function = f"""
        CREATE FUNCTION proposals.count_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            came boolean := NOT NEW.withdrawn;
            went boolean := TG_OP = 'UPDATE' AND NOT OLD.withdrawn;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO proposals.proposal_count AS proposal_count (job_id, {columns})
                VALUES (NEW.job_id, {first})
                ON CONFLICT (job_id) DO UPDATE SET {added};
            ELSIF came <> went OR NEW.review_state <> OLD.review_state THEN
                UPDATE proposals.proposal_count SET {moved} WHERE job_id = NEW.job_id;
            END IF;
            RETURN NULL;
        END $$
    """  # noqa: S608 - as said
    op.execute(function)
    # No proposal is written between the counting and the trigger.
    op.execute("LOCK TABLE proposals.proposal IN SHARE ROW EXCLUSIVE MODE")
    counted = ", ".join(f"count(*) FILTER (WHERE review_state = '{s.upper()}')" for s in STATES)
    op.execute(
        f"INSERT INTO proposals.proposal_count SELECT job_id, {counted}"  # noqa: S608 - as above
        " FROM proposals.proposal WHERE NOT withdrawn GROUP BY job_id"
    )
    op.execute(
        "CREATE TRIGGER proposal_counted AFTER INSERT OR UPDATE OF review_state, withdrawn"
        " ON proposals.proposal FOR EACH ROW EXECUTE FUNCTION proposals.count_proposal()"
    )
