"""A stream that was lost is filled again, what is old can be pruned, a dead letter tells why."""

from services.common.migrations import add_stream_and_pruning

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    add_stream_and_pruning("contracts")
