"""A job's states and the positions that hires take in it.

Time comes in as an argument. A transition that the job's state does not know raises and never
silently returns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from services.common.errors import Conflict, Refused, Violation
from services.jobs.domain.posting import Posting, Visibility
from services.jobs.domain.work import Ties


class State(StrEnum):
    """The states of a job."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    HIRING_DONE = "HIRING_DONE"
    ARCHIVED = "ARCHIVED"


class Verb(StrEnum):
    """What can be done to a job, in the words in which a refusal names it."""

    UPDATE = "be changed"
    PUBLISH = "be published"
    FINISH = "finish hiring"
    REOPEN = "reopen hiring"
    ARCHIVE = "be archived"
    INVITE = "invite trainers"
    RELEASE = "give a position back"
    FILL = "fill a position"


# A draft that nobody wants any more has no other way out than the archive. A published job goes
# through HIRING_DONE first, so that its trainers learn that it closed.
_ALLOWED: dict[Verb, frozenset[State]] = {
    Verb.UPDATE: frozenset({State.DRAFT, State.PUBLISHED, State.HIRING_DONE}),
    Verb.PUBLISH: frozenset({State.DRAFT}),
    Verb.FINISH: frozenset({State.PUBLISHED}),
    Verb.REOPEN: frozenset({State.HIRING_DONE}),
    Verb.ARCHIVE: frozenset({State.DRAFT, State.HIRING_DONE}),
    Verb.INVITE: frozenset({State.DRAFT, State.PUBLISHED, State.HIRING_DONE}),
    # Of an archived job too: money may be given back long after its contract ended.
    Verb.RELEASE: frozenset({State.PUBLISHED, State.HIRING_DONE, State.ARCHIVED}),
    Verb.FILL: frozenset({State.PUBLISHED, State.HIRING_DONE}),
}

_WORDS: dict[State, str] = {
    State.DRAFT: "a draft",
    State.PUBLISHED: "a published job",
    State.HIRING_DONE: "a job whose hiring is done",
    State.ARCHIVED: "an archived job",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job of an organisation; each transition answers with the job after it.

    `version` grows by one with every transition and is the etag. The outbox numbers the events by
    itself: that instructions were written is one of them, and no transition.
    `filled` and `reserved` count positions; together they never pass `posting.positions`.
    `plan_version` grows with every change of the screening plan. `folder_id` is empty in no folder.
    `proposals` counts live proposals as far as events told; it is read with the job, no part of it.
    `finished_by_itself` tells whether hiring is done because the last position was filled, and not
    because a member said so.
    """

    job_id: str
    organisation_id: str
    posting: Posting
    state: State
    filled: int
    reserved: int
    version: int
    create_time: datetime
    update_time: datetime
    publish_time: datetime | None
    plan_version: int = 0
    folder_id: str = ""
    proposals: int = 0
    finished_by_itself: bool = False

    def __post_init__(self) -> None:
        if self.filled < 0 or self.reserved < 0 or self.free < 0:
            raise ValueError("more positions are taken than the job has")

    @classmethod
    def draft(cls, job_id: str, organisation_id: str, posting: Posting, now: datetime) -> Self:
        """Begin a job that its organisation alone sees.

        Raises InvalidInput when the posting is outside its limits.
        """
        posting.require_valid()
        plan_version = int(bool(posting.screening_plan))
        return cls(
            job_id, organisation_id, posting, State.DRAFT, 0, 0, 1, now, now, None, plan_version
        )

    @property
    def etag(self) -> str:
        """Changes with every change of the job."""
        return f"v{self.version}"

    @property
    def free(self) -> int:
        """The number of positions that hires may still reserve."""
        return self.posting.positions - self.filled - self.reserved

    @property
    def by_invitation(self) -> bool:
        """Whether only invited trainers may read it."""
        return self.posting.settings.visibility is Visibility.INVITE_ONLY

    def open_to_trainer(self, *, invited: bool) -> bool:
        """Whether a trainer may read it."""
        return self.state is State.PUBLISHED and (invited or not self.by_invitation)

    def require_etag(self, etag: str) -> None:
        """Raise Conflict ETAG_MISMATCH unless the etag is empty or the job's present one."""
        if etag and etag != self.etag:
            raise Conflict("ETAG_MISMATCH", "the job has changed since it was read; read it again")

    def update(self, posting: Posting, now: datetime) -> Self:
        """Replace what is written.

        Raises InvalidInput when the posting is outside its limits; Refused: WRONG_STATE when
        archived, POSITIONS_IN_USE when fewer positions remain than are filled or reserved,
        JOB_INCOMPLETE when a published job would lack a field. Where both are so, the first names
        the fields of both.
        """
        posting.require_valid()
        self._require(Verb.UPDATE)
        missing = [] if self.state is State.DRAFT else posting.missing()
        taken = self.filled + self.reserved
        if posting.positions < taken:
            told = f"{self.filled} positions are filled and {self.reserved} reserved"
            too_few = Violation("job.positions", f"is at least {taken}")
            raise Refused("POSITIONS_IN_USE", told, violations=[too_few, *missing])
        _require_none(missing)
        replanned = posting.screening_plan != self.posting.screening_plan
        plan_version = self.plan_version + replanned
        return replace(self._next(now), posting=posting, plan_version=plan_version)

    def publish(self, now: datetime) -> Self:
        """Open a draft for proposals.

        Raises Refused: WRONG_STATE, or JOB_INCOMPLETE naming every field it lacks.
        """
        self._require(Verb.PUBLISH)
        _require_none(self.posting.missing())
        return replace(self._next(now), state=State.PUBLISHED, publish_time=now)

    def finish_hiring(self, now: datetime) -> Self:
        """Take no new proposals; running hires go on. Raises Refused WRONG_STATE."""
        self._require(Verb.FINISH)
        return replace(self._next(now), state=State.HIRING_DONE, finished_by_itself=False)

    def finish_by_itself(self, now: datetime) -> Self:
        """Finish hiring where the job is staffed and set to; otherwise stay as it is."""
        staffed = self.filled == self.posting.positions
        if staffed and self.state is State.PUBLISHED and self.posting.settings.finish_when_filled:
            return replace(self.finish_hiring(now), finished_by_itself=True)
        return self

    def reopen_hiring(self, now: datetime) -> Self:
        """Take proposals again. Raises Refused WRONG_STATE."""
        self._require(Verb.REOPEN)
        return replace(self._next(now), state=State.PUBLISHED, finished_by_itself=False)

    def reopen_by_itself(self, now: datetime) -> Self:
        """Reopen hiring that finished by itself, for a position is free; otherwise stay as it is.

        Hiring that a member finished stays so: that was the member's word.
        """
        if self.state is State.HIRING_DONE and self.finished_by_itself:
            return self.reopen_hiring(now)
        return self

    def archive(self, ties: Ties, now: datetime) -> Self:
        """Put the job away for ever.

        Raises Refused: WRONG_STATE, or JOB_IN_USE while work on it is not over.
        """
        self._require(Verb.ARCHIVE)
        if ties:
            raise Refused("JOB_IN_USE", f"{ties}: wait for them, or end them first")
        return replace(self._next(now), state=State.ARCHIVED)

    def require_writable(self) -> None:
        """Raise Refused WRONG_STATE when nothing may be written for it any more."""
        self._require(Verb.UPDATE)

    def invite(self, now: datetime) -> Self:
        """Note that its invitations changed. Raises Refused WRONG_STATE."""
        self._require(Verb.INVITE)
        return self._next(now)

    def move(self, folder_id: str, now: datetime) -> Self:
        """Put it into a folder, or with an empty id into none; an archived job too."""
        return replace(self._next(now), folder_id=folder_id)

    def reserve(self, now: datetime) -> Self:
        """Hold one position for a hire. Raises Refused: JOB_NOT_OPEN or NO_POSITION."""
        if self.state is not State.PUBLISHED:
            raise Refused("JOB_NOT_OPEN", f"{_WORDS[self.state]} takes no hires")
        if self.free < 1:
            raise Refused("NO_POSITION", "every position is filled or reserved")
        return replace(self._next(now), reserved=self.reserved + 1)

    def release(self, now: datetime) -> Self:
        """Give one reserved position back, also when hiring is done or the job is archived.

        Raises Refused WRONG_STATE of a draft.
        """
        self._require(Verb.RELEASE)
        return replace(self._next(now), reserved=self.reserved - 1)

    def fill(self, now: datetime) -> Self:
        """Turn one reserved position into a filled one; also when hiring is done.

        Raises Refused WRONG_STATE.
        """
        self._require(Verb.FILL)
        return replace(self._next(now), reserved=self.reserved - 1, filled=self.filled + 1)

    def vacate(self, now: datetime) -> Self:
        """Give one filled position back, as a reserved one."""
        self._require(Verb.RELEASE)
        return replace(self._next(now), filled=self.filled - 1)

    def _require(self, verb: Verb) -> None:
        if self.state not in _ALLOWED[verb]:
            raise Refused("WRONG_STATE", f"{_WORDS[self.state]} cannot {verb}")

    def _next(self, now: datetime) -> Self:
        return replace(self, version=self.version + 1, update_time=now)


def _require_none(missing: Sequence[Violation]) -> None:
    if missing:
        raise Refused(
            "JOB_INCOMPLETE", "the job lacks fields that publishing needs", violations=missing
        )
