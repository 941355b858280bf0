"""The model's jobs, and what hires ought to do in them."""

from dataclasses import dataclass, field

from tests.integration.jobs.calls import Call


@dataclass
class Job:
    """A job of the model; `events` has one per version, and one per text of its instructions."""

    organisation: str
    fields: dict[str, object]
    state: str = "DRAFT"
    folder: int = -1
    invited: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    reserved: int = 0
    filled: int = 0
    finished_by_itself: bool = False
    events: list[str] = field(default_factory=lambda: ["created"])

    @property
    def is_complete(self) -> bool:
        written = all(str(self.fields[name]).strip() for name in ("title", "description"))
        return written and bool(self.fields["paid"])

    @property
    def version(self) -> int:
        return len(self.events) - len(self.texts)

    @property
    def free(self) -> int:
        return int(str(self.fields["positions"])) - self.reserved - self.filled

    def seen(self) -> tuple[object, ...]:
        """What of it is compared: state, folder, reserved, filled, version, fields."""
        taken = self.reserved, self.filled
        return self.state, self.folder, *taken, self.version, self.fields.copy()


@dataclass
class Hire:
    """What a hire holds in a job: RESERVED, FILLED by a contract, or RELEASED."""

    job: Job
    state: str
    contract: int = -1
    finished: bool = False


class Hires:
    """What hires ought to do."""

    def __init__(self) -> None:
        self._hires: dict[int, Hire] = {}

    def apply(self, call: Call, job: Job | None) -> object:
        """Carry a hire's call out; give what it answers, or the reason why it is refused."""
        earlier = self._hires.get(call.hire)
        if job is None or (earlier and earlier.job is not job):
            return "NOT_FOUND"
        match call.what:
            case "reserve":
                return self._reserve(call, job, earlier)
            case "fill":
                return self._fill(call, job, earlier)
            case _:
                return self._release(call, job, earlier)

    def _reserve(self, call: Call, job: Job, earlier: Hire | None) -> object:
        if earlier:
            return "RESERVATION_RELEASED" if earlier.state == "RELEASED" else job.seen()
        if job.state != "PUBLISHED":
            return "JOB_NOT_OPEN"
        if not job.free:
            return "NO_POSITION"
        self._hires[call.hire] = Hire(job, "RESERVED")
        job.reserved += 1
        job.events.append("position_reserved")
        return job.seen()

    def _fill(self, call: Call, job: Job, hire: Hire | None) -> object:
        if hire is None:
            return "NOT_FOUND"
        if hire.state == "RELEASED":
            return "RESERVATION_RELEASED"
        if hire.state == "FILLED" and hire.contract == call.contract:
            return job.seen(), hire.finished
        if any(call.contract == each.contract for each in self._hires.values()):
            return "WRONG_STATE"
        if hire.state == "FILLED":
            return "WRONG_STATE"
        hire.state, hire.contract = "FILLED", call.contract
        job.reserved -= 1
        job.filled += 1
        job.events.append("position_filled")
        hire.finished = bool(
            job.filled == job.fields["positions"]
            and job.fields["finishes"]
            and job.state == "PUBLISHED"
        )
        if hire.finished:
            job.state, job.finished_by_itself = "HIRING_DONE", True
            job.events.append("hiring_finished")
        return job.seen(), hire.finished

    def _release(self, call: Call, job: Job, hire: Hire | None) -> object:
        if hire is None:
            self._hires[call.hire] = Hire(job, "RELEASED")
            return False
        if hire.state == "RELEASED":
            return False
        if hire.state == "RESERVED":
            job.reserved -= 1
        elif call.what == "release" or call.contract != hire.contract:
            return "WRONG_STATE"
        else:
            job.filled -= 1
        hire.state, hire.contract = "RELEASED", -1
        job.events.append("position_released")
        if job.state == "HIRING_DONE" and job.finished_by_itself:
            job.state, job.finished_by_itself = "PUBLISHED", False
            job.events.append("hiring_reopened")
        return True
