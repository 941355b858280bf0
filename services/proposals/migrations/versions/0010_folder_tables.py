"""What a folder's table is made of: columns by plan, and answers in an order.

A trigger keeps both and not the code that completes screenings: while a version of it that knows
nothing of them still runs beside this one, they stay whole.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"

SCHEMA = "proposals"


def upgrade() -> None:
    for name, column in (
        ("score", "interview_score"),
        ("name", "display_name"),
        ("country", "country"),
    ):
        op.create_index(
            f"screening_complete_by_{name}",
            "screening",
            ["job_id", column, "screening_id"],
            schema=SCHEMA,
            postgresql_where=sa.text("complete_time IS NOT NULL"),
        )
    op.create_table(
        "plan",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("questions", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "version", name="plan_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "answer",
        sa.Column("screening_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Double, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("screening_id", "key", name="answer_pkey"),
        sa.ForeignKeyConstraint(
            ["screening_id"], [f"{SCHEMA}.screening.screening_id"], name="answer_screening_id_fkey"
        ),
        schema=SCHEMA,
    )
    keys = ["job_id", "key", "kind", "number", "text", "screening_id"]
    op.create_index("answer_by_value", "answer", keys, schema=SCHEMA)
    op.execute(
        """
        CREATE FUNCTION proposals.add_to_folder_table() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO proposals.plan (job_id, version, questions)
            VALUES (NEW.job_id, NEW.plan_version, NEW.plan_questions)
            ON CONFLICT DO NOTHING;
            INSERT INTO proposals.answer (screening_id, key, kind, job_id, number, text)
            SELECT NEW.screening_id, question->>'key',
                   CASE question->>'type' WHEN 'NUMBER' THEN 'NUMBER' WHEN 'URL' THEN 'URL'
                        WHEN 'SINGLE_SELECT' THEN 'OPTION' ELSE 'TEXT' END,
                   NEW.job_id,
                   CASE jsonb_typeof(given) WHEN 'number' THEN (given#>>'{}')::float8 ELSE 0 END,
                   CASE jsonb_typeof(given) WHEN 'number' THEN ''
                        ELSE left(lower(given#>>'{}'), 200) END
            FROM jsonb_array_elements(NEW.plan_questions) AS question,
                 LATERAL (SELECT NEW.answers->(question->>'key') AS given) AS answers
            WHERE given IS NOT NULL
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER screening_in_folder_table AFTER INSERT OR UPDATE OF complete_time"
        " ON proposals.screening FOR EACH ROW WHEN (NEW.complete_time IS NOT NULL)"
        " EXECUTE FUNCTION proposals.add_to_folder_table()"
    )
    # Those that are complete already.
    op.execute(
        "UPDATE proposals.screening SET complete_time = complete_time"
        " WHERE complete_time IS NOT NULL"
    )
