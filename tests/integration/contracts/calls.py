"""Random calls to the service of contracts, right and wrong ones."""

from dataclasses import dataclass

from hypothesis import strategies as st

# Whose the contracts are and of which hire; the last is a rival of the first for its hire.
CONTRACTS = (("A", "h0"), ("B", "h1"), ("A", "h2"), ("A", "h0"))
NOWHERE = 9  # the place of a contract or milestone that there is not
MEMBERS = {"ann": "A", "bob": "B"}
# Who calls what: mostly somebody who may.
WORKFLOW = (*("workflow",) * 14, "ann")
CALLERS = {
    "create": WORKFLOW,
    "amend": WORKFLOW,
    "cancel": WORKFLOW,
    "activate": WORKFLOW,
    "late": WORKFLOW,  # RecordRefundedCharge
    "refund": WORKFLOW,
    "refund_failed": WORKFLOW,
    "dispute": WORKFLOW,
    "quote": (*("ann",) * 8, *("bob",) * 3, "workflow", "workflow", "operator", "tom"),
}
BAD_AMOUNT, BAD_REASON = 49, "Ann changed her mind"


@dataclass(frozen=True)
class Call:
    """One call: what, by whom, on which contract, with which words of the provider.

    `charged` is what a charge or dispute is of: the price, or another amount. Charges of one
    letter serve one funding.
    """

    what: str
    who: int
    contract: int
    other_milestone: bool
    amount: int
    charge: str
    charged: int | None  # None is the milestone's price
    currency: str
    refund: str
    dispute: str
    state: str
    reason: str
    again: str  # "no"; "same" or "other": under the same request_id, the same or another call

    @property
    def caller(self) -> str:
        return CALLERS[self.what][self.who]

    @property
    def milestone(self) -> int:
        return (self.contract + 1) % len(CONTRACTS) if self.other_milestone else self.contract

    @property
    def funding(self) -> str:
        return self.charge[:1]


CALLS = st.builds(
    Call,
    what=st.sampled_from(
        (*("activate",) * 4, "late", "refund", "refund", *("dispute",) * 5, *CALLERS)
    ),
    who=st.integers(0, len(WORKFLOW) - 1),
    contract=st.sampled_from((0, 0, 0, 1, 1, 1, 2, 2, 3, NOWHERE)),
    other_milestone=st.sampled_from((*(False,) * 14, True)),
    amount=st.sampled_from((*(45000, 10000) * 6, BAD_AMOUNT)),
    charge=st.sampled_from(("a", "a", "a", "b", "b", "b", "c", "d", "e", "a2")),
    charged=st.sampled_from((None, None, None, None, None, 700, 20000)),
    currency=st.sampled_from((*("USD",) * 14, "EUR", "usd")),
    refund=st.sampled_from(("r0", "r0", "r1", "r1", "r2", "r3")),
    dispute=st.sampled_from(("d0", "d0", "d1", "d1", "d2", "d3")),
    state=st.sampled_from((*("OPEN", "OPEN", "WON", "LOST") * 4, "UNSPECIFIED")),
    reason=st.sampled_from((*("HIRE_CANCELLED",) * 9, BAD_REASON)),
    again=st.sampled_from(("no", "no", "same", "other")),
).filter(lambda call: call.what != "create" or call.contract != NOWHERE)


def _first(what: str, contract: int, charge: str = "", dispute: str = "") -> Call:
    words = (charge, None, "USD", "r9", dispute, "OPEN", "HIRE_CANCELLED", "no")
    return Call(what, 0, contract, False, 45000, *words)


# Before the random ones, so that these have something to be about.
FIRST = (
    *(_first("create", contract) for contract in (0, 1, 2)),
    _first("activate", 0, "a"),
    _first("late", 1, "b"),
    _first("dispute", 0, "a", "d0"),
)
