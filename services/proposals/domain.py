"""Profiles, proposals and reservations: what may become of them, and who sees what."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.common.errors import Conflict, Refused


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
    """The orders of a list of proposals."""

    NEWEST = "NEWEST"
    MATCH = "MATCH"
    RATE = "RATE"


class ReservationState(StrEnum):
    """What became of a hire's reservation; RELEASED also refuses a late one."""

    RESERVED = "RESERVED"
    RELEASED = "RELEASED"
    HIRED = "HIRED"


@dataclass(frozen=True, slots=True)
class Profile:
    """A trainer's profile; the trainer alone reads it whole."""

    trainer_id: str
    first_name: str
    last_name: str
    country: str
    title: str
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    resume_reference: str
    update_time: datetime

    @property
    def display_name(self) -> str:
        """First name and last initial, as employers see it (the mission, "People and access")."""
        return f"{self.first_name} {self.last_name[:1]}."


@dataclass(frozen=True, slots=True)
class Job:
    """What the events of jobs told of one job."""

    job_id: str
    organisation_id: str
    state: str
    visibility: str
    required_languages: tuple[str, ...]
    required_skills: tuple[str, ...]
    required_countries: tuple[str, ...]

    @property
    def visible_to_trainers(self) -> bool:
        """Whether a trainer may know of it at all."""
        return self.state != "DRAFT" and self.visibility != "INVITE_ONLY"

    def require_open(self) -> None:
        """Refuse a proposal on a job that takes none. Raises Refused JOB_NOT_OPEN."""
        if self.state != "PUBLISHED":
            raise Refused("JOB_NOT_OPEN", f"job {self.job_id} takes no new proposals")


@dataclass(frozen=True, slots=True)
class Match:
    """How well a profile meets a job's needs, 0 to 100, and why."""

    score: int
    met: tuple[str, ...]
    missing: tuple[str, ...]


def match(profile: Profile, job: Job) -> Match:
    """Compare a profile with a job's needs: each language and skill, and the country if any.

    The score is the share of needs met, in percent; a job without needs is met in full.
    """
    found: dict[str, bool] = {}
    for language in job.required_languages:
        known = {known.split("-")[0] for known in profile.languages} | set(profile.languages)
        found[f"language:{language}"] = language in known
    for skill in job.required_skills:
        found[f"skill:{skill}"] = skill in profile.skills
    if job.required_countries:
        found[f"country:{'|'.join(job.required_countries)}"] = (
            profile.country in job.required_countries
        )
    met = tuple(need for need, held in found.items() if held)
    missing = tuple(need for need, held in found.items() if not held)
    score = round(100 * len(met) / len(found)) if found else 100
    return Match(score, met, missing)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trainer as employers see one: masked, as at submission."""

    trainer_id: str
    display_name: str
    country: str
    title: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a trainer writes and asks for. The rate is in minor units of one currency."""

    message: str
    summary: str
    rate: int
    currency: str
    rate_unit: RateUnit


@dataclass(frozen=True, slots=True)
class Proposal:
    """A trainer's proposal for a job; `hire_id` is the hire that holds it now, or empty."""

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

    @classmethod
    def submit(
        cls, proposal_id: str, job: Job, profile: Profile, offer: Offer, now: datetime
    ) -> "Proposal":
        """Submit for an open job. Raises Refused JOB_NOT_OPEN."""
        job.require_open()
        return cls(
            proposal_id=proposal_id,
            job_id=job.job_id,
            organisation_id=job.organisation_id,
            candidate=Candidate(
                profile.trainer_id, profile.display_name, profile.country, profile.title
            ),
            offer=offer,
            match=match(profile, job),
            review_state=ReviewState.UNREVIEWED,
            withdrawn=False,
            hire_id="",
            version=1,
            create_time=now,
            update_time=now,
        )

    @property
    def etag(self) -> str:
        """Changes with every change of the proposal."""
        return f"v{self.version}"

    def require_etag(self, etag: str) -> None:
        """Refuse a change of a proposal that changed meanwhile. Raises Conflict."""
        if etag and etag != self.etag:
            raise Conflict("ETAG_MISMATCH", "the proposal changed meanwhile; read it again")

    def status(self, job_state: str) -> Status:
        """Tell what the trainer sees: a function of three facts, never stored."""
        if self.review_state is ReviewState.HIRED:
            return Status.HIRED
        if self.withdrawn:
            return Status.WITHDRAWN
        if self.review_state is ReviewState.DECLINED:
            return Status.DECLINED
        return Status.PENDING if job_state == "PUBLISHED" else Status.CLOSED

    def review(self, state: ReviewState, now: datetime) -> "Proposal":
        """Move in the review; the same state again changes nothing.

        Raises Refused PROPOSAL_WITHDRAWN, ALREADY_HIRED, or HIRE_IN_PROGRESS when a proposal that
        a hire holds is declined.
        """
        self._require_undecided()
        if state is ReviewState.DECLINED:
            self._require_free("decline")
        return self if state is self.review_state else self._changed(now, review_state=state)

    def withdraw(self, now: datetime) -> "Proposal":
        """Take it back; again changes nothing. Raises Refused ALREADY_HIRED, HIRE_IN_PROGRESS."""
        if self.withdrawn:
            return self
        self._require_undecided()
        self._require_free("withdraw")
        return self._changed(now, withdrawn=True)

    def reserve(self, hire_id: str, now: datetime, *, confirm_declined: bool) -> "Proposal":
        """Let a hire hold it, beside the review state.

        Raises Refused PROPOSAL_WITHDRAWN, ALREADY_HIRED, HIRE_IN_PROGRESS, PROPOSAL_DECLINED.
        """
        self._require_undecided()
        self._require_free("hire")
        if self.review_state is ReviewState.DECLINED and not confirm_declined:
            raise Refused("PROPOSAL_DECLINED", "it is declined; confirm_declined hires it anyway")
        return self._changed(now, hire_id=hire_id)

    def release(self, hire_id: str, now: datetime) -> "Proposal":
        """Let it go again; the review state was never touched."""
        return self._changed(now, hire_id="") if self.hire_id == hire_id else self

    def hire(self, hire_id: str, now: datetime) -> "Proposal":
        """Mark it hired by the hire that holds it. Raises Refused WRONG_STATE for another."""
        if self.hire_id != hire_id:
            raise Refused("WRONG_STATE", f"hire {hire_id} does not hold the proposal")
        return self._changed(now, review_state=ReviewState.HIRED, hire_id="")

    def _require_undecided(self) -> None:
        if self.withdrawn:
            raise Refused("PROPOSAL_WITHDRAWN", "the trainer took the proposal back")
        if self.review_state is ReviewState.HIRED:
            raise Refused("ALREADY_HIRED", "the proposal is hired")

    def _require_free(self, verb: str) -> None:
        if self.hire_id:
            raise Refused(
                "HIRE_IN_PROGRESS", f"a hire is under way: cancel it before you {verb} it"
            )

    def _changed(self, now: datetime, **changes: object) -> "Proposal":
        version = self.version + 1
        return replace(self, version=version, update_time=now, **changes)  # type: ignore[arg-type] # fields by name


@dataclass(frozen=True, slots=True)
class Reservation:
    """A hire's one word on a proposal; the hire's id is its key."""

    hire_id: str
    proposal_id: str
    state: ReservationState
    contract_id: str = ""

    def require_not_released(self) -> None:
        """Refuse what comes after the undoing. Raises Refused RESERVATION_RELEASED."""
        if self.state is ReservationState.RELEASED:
            raise Refused("RESERVATION_RELEASED", f"hire {self.hire_id} was undone before")
