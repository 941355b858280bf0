"""What proposals know of a job: what its events told."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.common.errors import Refused
from services.proposals.domain.plan import ScreeningPlan

# The one state in which a job takes proposals, and those it has are still to be decided.
OPEN_STATE = "PUBLISHED"
# The publication of a job of which no event has told it.
NOT_TOLD = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its last event told it.

    State and visibility are the words of jobs, not an enum of ours: an event with a new one must
    be kept (as its number, until it has a word here), and what is not known here is neither open
    nor visible.
    """

    job_id: str
    organisation_id: str
    state: str
    visibility: str
    required_languages: tuple[str, ...]
    required_skills: tuple[str, ...]
    required_countries: tuple[str, ...]
    folder_id: str = ""
    plan: ScreeningPlan | None = None
    publish_time: datetime = NOT_TOLD

    def visible_to_trainer(self, *, invited: bool) -> bool:
        """Whether a trainer may know of it at all (the mission, "People and access").

        Only if it was ever published, and a draft may be archived too. An INVITE_ONLY job is there
        for those who are invited, and for nobody else.
        """
        published = self.state in {OPEN_STATE, "HIRING_DONE"} or (
            self.state == "ARCHIVED" and self.publish_time != NOT_TOLD
        )
        return published and (
            self.visibility in {"PUBLIC", "UNLISTED"}
            or (self.visibility == "INVITE_ONLY" and invited)
        )

    def require_open(self) -> None:
        """Raise Refused JOB_NOT_OPEN when it takes no new proposals."""
        if self.state != OPEN_STATE:
            raise Refused("JOB_NOT_OPEN", "the job takes no new proposals")
