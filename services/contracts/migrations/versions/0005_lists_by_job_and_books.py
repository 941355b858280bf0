"""A list of a job's contracts, and an organisation's books, read one range of an index each."""

from alembic import op

revision = "0005"
down_revision = "0004"

_BY_JOB = ["job_id", "organisation_id", "state", "create_time", "contract_id"]


def upgrade() -> None:
    op.drop_index("contract_by_job", "contract", schema="contracts")
    op.create_index("contract_by_job", "contract", _BY_JOB, schema="contracts")
    op.create_index(
        "contract_books", "contract", ["organisation_id", "contract_id"], schema="contracts"
    )
