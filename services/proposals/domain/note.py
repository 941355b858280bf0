"""What employers note on a proposal, for themselves."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note; the author's kind is "employer" or "agent". Trainers never see it."""

    note_id: str
    proposal_id: str
    author_kind: str
    author_id: str
    text: str
    create_time: datetime
