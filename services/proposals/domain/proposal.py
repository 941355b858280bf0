"""A proposal: what a trainer offers for a job, and what may become of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from services.common.contact_details import without_contact_details
from services.common.errors import Conflict, Refused
from services.proposals.domain.job import OPEN_STATE, Job
from services.proposals.domain.matching import Match, match
from services.proposals.domain.profile import Candidate, Profile
from services.proposals.domain.screening import Screening


class ReviewState(StrEnum):
    """The employer's review; trainers never see it."""

    UNREVIEWED = "UNREVIEWED"
    SHORTLISTED = "SHORTLISTED"
    MAYBE = "MAYBE"
    RESUME_SENT = "RESUME_SENT"
    DECLINED = "DECLINED"
    HIRED = "HIRED"


class Status(StrEnum):
    """What the trainer sees of a proposal's fate."""

    PENDING = "PENDING"
    HIRED = "HIRED"
    DECLINED = "DECLINED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"


class RateUnit(StrEnum):
    """What a rate is paid for."""

    FIXED = "FIXED"
    HOUR = "HOUR"
    LABEL = "LABEL"


class Order(StrEnum):
    """The orders of a list of proposals: newest, best match, lowest rate, best interview first."""

    NEWEST = "NEWEST"
    MATCH = "MATCH"
    RATE = "RATE"
    INTERVIEW = "INTERVIEW"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a trainer writes and asks for. The rate is in minor units of its currency."""

    message: str
    summary: str
    rate: int
    currency: str
    rate_unit: RateUnit

    def masked(self) -> Self:
        """Leave out how to reach the trainer before a hire (the mission, "People and access")."""
        message, summary = map(without_contact_details, (self.message, self.summary))
        return replace(self, message=message, summary=summary)


@dataclass(frozen=True, slots=True)
class Signals:
    """What a list shows of the screening and the profile. Aids: nothing is decided by them.

    Without a screening, its id is empty and there is no interview score.
    """

    has_resume: bool = False
    screening_id: str = ""
    interview_score: int | None = None
    mismatches: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job, profile: Profile, screening: Screening | None) -> Self:
        """Gather them, as at submission; a complete screening changes no more.

        Raises Refused SCREENING_INCOMPLETE where the job has a plan.
        """
        has_resume = bool(profile.resume_reference)
        interview = screening and screening.complete_time and screening.interview
        if screening is not None and interview:
            found = interview.score, interview.mismatch_signals
            return cls(has_resume, screening.screening_id, *found)
        if job.plan is not None:
            told = "the job asks for a screening: finish it before you submit a proposal"
            raise Refused("SCREENING_INCOMPLETE", told)
        return cls(has_resume)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A trainer's proposal for a job.

    `hire_id` is the hire that holds it now, or empty. It stands beside the review state, which no
    hire changes before HIRED: letting go has nothing to restore.
    """

    proposal_id: str
    job_id: str
    organisation_id: str
    candidate: Candidate
    offer: Offer
    match: Match
    review_state: ReviewState
    withdrawn: bool
    hire_id: str
    version: int
    create_time: datetime
    update_time: datetime
    # Has a default for the answers that were kept before there were signals.
    signals: Signals = Signals()

    @classmethod
    def submit(
        cls,
        proposal_id: str,
        job: Job,
        profile: Profile | None,
        screening: Screening | None,
        offer: Offer,
        *,
        now: datetime,
    ) -> Self:
        """Submit for an open job; candidate, match and signals are kept as they are now.

        Raises Refused: JOB_NOT_OPEN, PROFILE_MISSING, SCREENING_INCOMPLETE.
        """
        job.require_open()
        if profile is None:
            raise Refused("PROFILE_MISSING", "write your profile before you submit a proposal")
        return cls(
            proposal_id=proposal_id,
            job_id=job.job_id,
            organisation_id=job.organisation_id,
            candidate=profile.masked(),
            offer=offer.masked(),
            match=match(profile, job),
            review_state=ReviewState.UNREVIEWED,
            withdrawn=False,
            hire_id="",
            version=1,
            create_time=now,
            update_time=now,
            signals=Signals.of(job, profile, screening),
        )

    @property
    def etag(self) -> str:
        """Changes with every change of the proposal."""
        return etag_of(self.version)

    def require_etag(self, etag: str) -> None:
        """Raise Conflict ETAG_MISMATCH when the proposal changed; an empty etag asks nothing."""
        if etag and etag != self.etag:
            raise Conflict("ETAG_MISMATCH", "the proposal changed meanwhile: read it again")

    def review(self, state: ReviewState, now: datetime) -> Self:
        """Move in the review; the same state again changes nothing.

        Raises Refused: PROPOSAL_WITHDRAWN, ALREADY_HIRED, HIRE_IN_PROGRESS when a proposal that a
        hire holds is declined, WRONG_STATE for HIRED: only a hire says that.
        """
        if state is ReviewState.HIRED:
            raise Refused("WRONG_STATE", "a review cannot hire: start a hire of the proposal")
        self._require_undecided()
        if state is ReviewState.DECLINED:
            self._require_free("decline")
        return self if state is self.review_state else self._changed(now, review_state=state)

    def withdraw(self, now: datetime) -> Self:
        """Take it back; again changes nothing. Raises Refused ALREADY_HIRED, HIRE_IN_PROGRESS."""
        if self.withdrawn:
            return self
        self._require_undecided()
        self._require_free("withdraw")
        return self._changed(now, withdrawn=True)

    def reserve(self, hire_id: str, now: datetime, *, confirm_declined: bool) -> Self:
        """Let a hire hold it.

        Raises Refused: PROPOSAL_WITHDRAWN, ALREADY_HIRED, HIRE_IN_PROGRESS, PROPOSAL_DECLINED.
        """
        self._require_undecided()
        self._require_free("hire")
        if self.review_state is ReviewState.DECLINED and not confirm_declined:
            raise Refused("PROPOSAL_DECLINED", "it is declined: confirm_declined hires it anyway")
        return self._changed(now, hire_id=hire_id)

    def release(self, hire_id: str, now: datetime) -> Self:
        """Let it go. Raises Refused WRONG_STATE when another hire or none holds it."""
        self._require_held_by(hire_id, "release")
        return self._changed(now, hire_id="")

    def hire(self, hire_id: str, now: datetime) -> Self:
        """Mark it hired. Raises Refused WRONG_STATE when another hire or none holds it."""
        self._require_held_by(hire_id, "complete")
        return self._changed(now, review_state=ReviewState.HIRED, hire_id="")

    def unhire(self, reviewed: ReviewState, now: datetime) -> Self:
        """Review it again as before its hire. Raises Refused WRONG_STATE when it is not hired."""
        if self.review_state is not ReviewState.HIRED:
            raise Refused("WRONG_STATE", "only a proposal that is hired can be reviewed again")
        return self._changed(now, review_state=reviewed)

    def _require_undecided(self) -> None:
        if self.withdrawn:
            raise Refused("PROPOSAL_WITHDRAWN", "the trainer took the proposal back")
        if self.review_state is ReviewState.HIRED:
            raise Refused("ALREADY_HIRED", "the proposal is hired")

    def _require_free(self, verb: str) -> None:
        if self.hire_id:
            told = f"a hire of the proposal is under way: cancel it before you {verb}"
            raise Refused("HIRE_IN_PROGRESS", told)

    def _require_held_by(self, hire_id: str, verb: str) -> None:
        if not self.hire_id or hire_id != self.hire_id:
            told = f"a hire cannot {verb} a proposal that it does not hold"
            raise Refused("WRONG_STATE", told)

    def _changed(self, now: datetime, **changes: Any) -> Self:  # noqa: ANN401 - fields by name
        return replace(self, version=self.version + 1, update_time=now, **changes)


def etag_of(version: int) -> str:
    """Give the etag of a proposal's version."""
    return f"v{version}"


@dataclass(frozen=True, slots=True)
class Move:
    """What a member asks of one proposal in the review."""

    proposal_id: str
    state: ReviewState
    etag: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a move: the proposal after it, or why it did not move."""

    proposal_id: str
    proposal: Proposal | None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RateRange:
    """Rates of one unit, in minor units, from the lowest to the highest; None is no limit."""

    unit: RateUnit
    lowest: int
    highest: int | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a job's proposals a list shows; the defaults show all."""

    states: frozenset[ReviewState] = frozenset()
    minimum_score: int = 0
    country: str = ""
    rate: RateRange | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """A proposal as its trainer sees it: with a status instead of review, hire and match."""

    proposal: Proposal
    job_state: str

    @property
    def status(self) -> Status:
        """Tell what became of it: a function of three facts, never stored."""
        proposal = self.proposal
        if proposal.review_state is ReviewState.HIRED:
            return Status.HIRED
        if proposal.withdrawn:
            return Status.WITHDRAWN
        if proposal.review_state is ReviewState.DECLINED:
            return Status.DECLINED
        return Status.PENDING if self.job_state == OPEN_STATE else Status.CLOSED
