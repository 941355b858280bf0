"""A simple model of what the services of proposals ought to do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.common.contact_details import REMOVED
from tests.integration.proposals.calls import (
    BAD_STATES,
    BAD_TEXTS,
    JOBS,
    ORGANISATIONS,
    PLANNED,
    TRAINERS,
    Call,
    Move,
    invites,
)
from tests.integration.proposals.screening_model import Screenings


@dataclass
class Proposal:
    """A proposal of the model; `events` has one per version."""

    job: int
    trainer: str
    message: str
    rate: int
    review: str = "UNREVIEWED"
    withdrawn: bool = False
    hire: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=lambda: ["submitted"])

    @property
    def organisation(self) -> str:
        return JOBS[self.job][0]

    def seen(self) -> object:
        """What of it employers and hires see, as far as it is compared."""
        words = self.trainer, self.message, self.rate
        return *words, self.review, self.withdrawn, self.hire, len(self.events)


@dataclass
class Reservation:
    """What a hire did with which proposal."""

    proposal: int
    state: str
    contract: str = ""
    reviewed: str = ""


class Model:
    """What the services ought to do, in memory."""

    def __init__(self) -> None:
        self.states = ["PUBLISHED"] * len(JOBS)
        self.proposals: list[Proposal] = []
        self.reservations: dict[str, Reservation] = {}
        self.screenings = Screenings()

    def apply(self, call: Call) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        allowed = {"submit": TRAINERS, "withdraw": TRAINERS, "tell": ("jobs",)}
        allowed |= {"screen": TRAINERS, "answer": TRAINERS, "record": ("interviewer",)}
        members = ("review", "review_many", "note")
        allowed |= dict.fromkeys(members, tuple(ORGANISATIONS))
        if call.caller not in allowed.get(call.what, ("workflow",)):
            return "CALLER_NOT_ALLOWED"
        if _is_malformed(call):
            return "INVALID_FIELDS"
        return getattr(self, f"_{call.what}")(call)

    def etag(self, move: Move) -> str:
        """The etag that a move sends."""
        found = self.proposals[move.proposal : move.proposal + 1]
        if move.etag == "present" and found:
            return f"v{len(found[0].events)}"
        return "v0" if move.etag == "stale" else ""

    def live(self, job: int) -> Iterator[tuple[int, Proposal]]:
        """A job's live proposals, with their places."""
        for place, proposal in enumerate(self.proposals):
            if proposal.job == job and not proposal.withdrawn:
                yield place, proposal

    def counts(self, job: int) -> Counter[str]:
        """How many of a job's live proposals are in each review state."""
        return Counter(proposal.review for _, proposal in self.live(job))

    def own(self, proposal: Proposal) -> object:
        """What the trainer sees of it."""
        status = "PENDING" if self.states[proposal.job] == "PUBLISHED" else "CLOSED"
        if proposal.review == "DECLINED":
            status = "DECLINED"
        if proposal.withdrawn:
            status = "WITHDRAWN"
        if proposal.review == "HIRED":
            status = "HIRED"
        return proposal.message, proposal.rate, status

    def _tell(self, call: Call) -> object:
        if call.job < len(JOBS):
            self.states[call.job] = call.job_state
            if tells_of_a_plan(call):
                self.screenings.version += 1
        return None

    def _submit(self, call: Call) -> object:
        if call.job >= len(JOBS) or not invites(call.job, call.caller):
            return "NOT_FOUND"
        if self.states[call.job] != "PUBLISHED":
            return "JOB_NOT_OPEN"
        if call.caller == "ned":
            return "PROFILE_MISSING"
        if not self.screenings.admits(call.caller, call.job):
            return "SCREENING_INCOMPLETE"
        if any(proposal.trainer == call.caller for _, proposal in self.live(call.job)):
            return "PROPOSAL_EXISTS"
        message = call.text.replace("tom@example.com", REMOVED)
        self.proposals.append(Proposal(call.job, call.caller, message, call.rate))
        return self.own(self.proposals[-1])

    def _screen(self, call: Call) -> object:
        return self.screenings.screen(call, self.states[call.job] if call.job < len(JOBS) else "")

    def _answer(self, call: Call) -> object:
        return self.screenings.answer(call)

    def _record(self, call: Call) -> object:
        return self.screenings.record(call)

    def _withdraw(self, call: Call) -> object:
        proposal = self._find(call.proposal)
        if proposal is None or proposal.trainer != call.caller:
            return "NOT_FOUND"
        if not proposal.withdrawn:
            if proposal.review == "HIRED":
                return "ALREADY_HIRED"
            if proposal.hire:
                return "HIRE_IN_PROGRESS"
            proposal.withdrawn = True
            proposal.events.append("withdrawn")
        return self.own(proposal)

    def _review(self, call: Call) -> object:
        return self._moved(call.caller, call.moves[0])

    def _review_many(self, call: Call) -> object:
        return [self._moved(call.caller, move) for move in call.moves]

    def _moved(self, caller: str, move: Move) -> object:
        proposal = self._find_members(caller, move.proposal)
        if proposal is None:
            return "NOT_FOUND"
        if move.etag == "stale":
            return "ETAG_MISMATCH"
        if refused := _decided(proposal):
            return refused
        if move.state == "DECLINED" and proposal.hire:
            return "HIRE_IN_PROGRESS"
        if move.state != proposal.review:
            proposal.review = move.state
            proposal.events.append("review_state_changed")
        return proposal.seen()

    def _note(self, call: Call) -> object:
        proposal = self._find_members(call.caller, call.proposal)
        if proposal is None:
            return "NOT_FOUND"
        proposal.notes.append((call.caller, call.text))
        return call.caller, call.text

    def _reserve(self, call: Call) -> object:
        proposal = self._find(call.proposal)
        if proposal is None or proposal.organisation != call.organisation:
            return "NOT_FOUND"
        earlier = self.reservations.get(call.hire)
        if earlier is None or earlier.state == "RELEASED":
            refused = _decided(proposal) or ("HIRE_IN_PROGRESS" if proposal.hire else "")
            if not refused and proposal.review == "DECLINED" and not call.confirm_declined:
                refused = "PROPOSAL_DECLINED"
            if refused:
                return refused
        if earlier is None:
            self.reservations[call.hire] = Reservation(call.proposal, "RESERVED")
            proposal.hire = call.hire
            proposal.events.append("reserved")
            return proposal.seen()
        if earlier.proposal != call.proposal:
            return "NOT_FOUND"
        return "RESERVATION_RELEASED" if earlier.state == "RELEASED" else proposal.seen()

    def _release(self, call: Call) -> object:
        proposal = self._find(call.proposal)
        if proposal is None:
            return "NOT_FOUND"
        earlier = self.reservations.setdefault(call.hire, Reservation(call.proposal, "RELEASED"))
        if earlier.proposal != call.proposal:
            return "NOT_FOUND"
        if earlier.state == "RELEASED":
            return False
        if earlier.state == "HIRED":
            if earlier.contract != call.contract:
                return "WRONG_STATE"
            proposal.review = earlier.reviewed
        earlier.state, proposal.hire = "RELEASED", ""
        proposal.events.append("released")
        return True

    def _hire(self, call: Call) -> object:
        proposal, earlier = self._find(call.proposal), self.reservations.get(call.hire)
        if proposal is None or earlier is None or earlier.proposal != call.proposal:
            return "NOT_FOUND"
        if earlier.state == "RELEASED":
            return "RESERVATION_RELEASED"
        if earlier.state == "HIRED":
            return proposal.seen() if earlier.contract == call.contract else "WRONG_STATE"
        earlier.state, earlier.contract = "HIRED", call.contract
        earlier.reviewed, proposal.review, proposal.hire = proposal.review, "HIRED", ""
        proposal.events.append("hired")
        return proposal.seen()

    def _find(self, place: int) -> Proposal | None:
        return self.proposals[place] if place < len(self.proposals) else None

    def _find_members(self, caller: str, place: int) -> Proposal | None:
        proposal = self._find(place)
        own = proposal and proposal.organisation == ORGANISATIONS[caller]
        return proposal if own else None


def tells_of_a_plan(call: Call) -> bool:
    """Whether an event tells of a changed plan, too."""
    return call.job == PLANNED and call.rate == 4000


def _decided(proposal: Proposal) -> str:
    """Why nobody decides on a proposal any more; empty where somebody may."""
    if proposal.withdrawn:
        return "PROPOSAL_WITHDRAWN"
    return "ALREADY_HIRED" if proposal.review == "HIRED" else ""


def _is_malformed(call: Call) -> bool:
    match call.what:
        case "submit":
            return call.text in BAD_TEXTS or call.rate == 0
        case "note":
            return call.text in BAD_TEXTS
        case "review":
            return call.moves[0].state in BAD_STATES
        case "review_many":
            places = [move.proposal for move in call.moves]
            unique = len(set(places)) == len(places)
            return not unique or any(move.state in BAD_STATES for move in call.moves)
        case "hire":
            return not call.contract
        case _:
            return False
