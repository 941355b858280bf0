"""The hires of the simple model, and the starts that name them."""

from dataclasses import dataclass, field

from tests.integration.hiring.calls import Call


def total(amount: int) -> int:
    """What a hire costs with its fees."""
    return amount + amount // 10 + 995


@dataclass(eq=False)
class Terms:
    """A revision of a hire's terms."""

    wish: tuple[int, bool]
    method: tuple[str, int] | None
    verdict: str = "OFFERED"


@dataclass(eq=False)
class Hire:
    """A hire of the model; `began` is the number of the call that began it."""

    proposal: int
    began: int
    terms: list[Terms]
    state: str = "RUNNING"
    stage: str = "PROPOSAL_REVIEW"
    waiting: str = "UNSPECIFIED"
    step: int = 1
    revision: int = 1
    paid: bool = False
    end_reason: str = ""
    events: list[str] = field(default_factory=lambda: ["started"])

    @property
    def latest(self) -> Terms:
        """The newest terms that were not refused."""
        return next(each for each in self.terms[::-1] if each.verdict in {"OFFERED", "ACCEPTED"})

    @property
    def offered(self) -> int:
        """The newest revision that is not decided; 0 if all are."""
        undecided = [at for at, each in enumerate(self.terms, 1) if each.verdict == "OFFERED"]
        return max(undecided, default=0)

    @property
    def ended(self) -> bool:
        return self.state != "RUNNING"

    def seen(self) -> object:
        """What of it is compared."""
        amount = self.terms[self.revision - 1].wish[0]
        stands = self.state, self.stage, self.waiting, self.end_reason
        return self.proposal, f"{self.revision}-{self.step}", total(amount), self.paid, *stands

    def answer(self, *, payer: bool) -> object:
        """The same, and whether the caller is given a client secret."""
        return self.seen(), payer and self.waiting == "CLIENT_CONFIRMATION"


@dataclass
class Started:
    """A StartHire as it came: which hire and revision it names, once that is decided."""

    call: Call
    number: int
    hire: Hire | None = None
    revision: int = 0
