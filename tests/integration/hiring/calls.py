"""Random calls to HiringService, right and wrong ones, and what happens around it meanwhile."""

from dataclasses import dataclass

from hypothesis import strategies as st

PROPOSALS = ("A", "A", "B")  # whose they are
NOWHERE = 9  # the place of a proposal or method that there is not
# Of each organisation who may pay, and of the first also another member and an agent.
PEOPLE = {"ann": "A", "amy": "A", "agent": "A", "bob": "B"}
PAYERS = ("ann", "bob")
_PAYING = (*("ann",) * 10, *("bob",) * 3, "amy", "agent", "tom")
CALLERS = {
    "start": _PAYING,
    "retry": _PAYING,
    "set_default": _PAYING,
    "remove": _PAYING,
    "cancel": (*("ann",) * 7, *("amy",) * 3, *("agent",) * 2, *("bob",) * 3, "tom"),
    "quote": (*("ann",) * 7, *("amy",) * 3, *("agent",) * 2, *("bob",) * 3, "tom"),
    # No calls of people: an earlier start comes again, the story goes on, neighbours change, a
    # method is saved at the provider.
    "repeat": ("network",) * 16,
    "step": ("worker",) * 16,
    "tell": ("neighbour",) * 16,
    "save": ("provider",) * 16,
}
# What the story does with a hire; "late" is a step that was overtaken.
STEPS = ("accept", "refuse", "park", "pay", "undoing", "undo", "undo_refunded", "hired", "blocked")
FACTS = ("plain", "plain", "plain", "withdrawn", "declined", "hired", "closed", "full")
ENDS = ("HIRE_CANCELLED", "PAYMENT_EXPIRED", "NO_POSITION")
BAD_AMOUNT, BAD_REASON = 49, "Ann changed her mind"


@dataclass(frozen=True)
class Call:
    """One call: what, by whom, about which proposal or its newest hire, under which terms."""

    what: str
    who: int
    proposal: int
    amount: int
    honest: bool  # whether the total is the quoted one
    confirm_declined: bool
    pays_by: str  # "client", "default" or "method"
    method: int
    reason: str
    step: str
    end: str
    facts: str
    earlier: int  # which of the starts comes again
    again: str  # "no"; "same" or "other": under the same request_id, the same or another call

    @property
    def caller(self) -> str:
        return CALLERS[self.what][self.who]


CALLS = st.builds(
    Call,
    what=st.sampled_from(
        (*("start",) * 5, *("step",) * 10, "repeat", "repeat", "save", "set_default", *CALLERS)
    ),
    who=st.integers(0, len(_PAYING) - 1),
    proposal=st.sampled_from((0, 0, 0, 0, 1, 1, 2, 2, NOWHERE)),
    amount=st.sampled_from((*(45_000, 50_000) * 6, BAD_AMOUNT)),
    honest=st.sampled_from((*(True,) * 9, False)),
    confirm_declined=st.sampled_from((False, False, False, True)),
    pays_by=st.sampled_from(("client", "client", "client", "default", "method")),
    method=st.sampled_from((0, 0, 0, 1, 1, 2, NOWHERE)),
    reason=st.sampled_from((*("changed_mind",) * 9, BAD_REASON)),
    step=st.sampled_from((*STEPS, "accept", "park", "pay", "undo", "late")),
    end=st.sampled_from(ENDS),
    facts=st.sampled_from(FACTS),
    earlier=st.integers(0, 5),
    again=st.sampled_from(("no", "no", "same", "other")),
)
