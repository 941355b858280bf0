"""A list of hires of some states reads their ranges alone, however many hires have ended."""

from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "hiring"
_INDEXES = {
    "hire_by_organisation": ["organisation_id", "state", "create_time", "hire_id"],
    "hire_by_job": ["job_id", "organisation_id", "state", "create_time", "hire_id"],
}


def upgrade() -> None:
    for name, columns in _INDEXES.items():
        op.drop_index(name, "hire", schema=SCHEMA)
        op.create_index(name, "hire", columns, schema=SCHEMA)
