"""Random calls to the services of proposals, right and wrong ones."""

from dataclasses import dataclass

from hypothesis import strategies as st

ORGANISATIONS = {"ann": "A", "bob": "B"}
TRAINERS = ("tom", "tim", "ned")  # ned has no profile
# Whose the jobs are, and who finds them; tom is invited where that is needed.
JOBS = (("A", "PUBLIC"), ("B", "PUBLIC"), ("A", "INVITE_ONLY"), ("A", "PUBLIC"))
PLANNED = 3  # the one that asks for a screening
INVITED = ("tom",)
# Who calls what: mostly somebody who may.
CALLERS = {
    "submit": (*("tom", "tim") * 4, "ned", "ann"),
    "withdraw": (*("tom",) * 6, "tim", "tim", "ned", "operator"),
    "review": (*("ann",) * 7, "bob", "bob", "tom"),
    "review_many": (*("ann",) * 7, "bob", "bob", "workflow"),
    "note": (*("ann",) * 7, "bob", "bob", "operator"),
    "reserve": (*("workflow",) * 9, "ann"),
    "release": (*("workflow",) * 9, "tom"),
    "hire": (*("workflow",) * 9, "operator"),
    "screen": (*("tom",) * 6, "tim", "tim", "ned", "ann"),
    "answer": (*("tom",) * 8, "tim", "ann"),
    "record": (*("interviewer",) * 9, "workflow"),
    # No call: an event that tells in what state a job is now, and perhaps of another plan.
    "tell": ("jobs",) * 10,
}
TEXTS = ("Hello", "Write to tom@example.com", " ", "\x00")
BAD_TEXTS = TEXTS[2:]
STATES = ("UNREVIEWED", "SHORTLISTED", "MAYBE", "RESUME_SENT", "DECLINED")
BAD_STATES = ("HIRED", "UNSPECIFIED")


@dataclass(frozen=True)
class Move:
    """A move of one proposal in the review."""

    proposal: int
    state: str
    etag: str  # "none", "present" or "stale"


@dataclass(frozen=True)
class Call:
    """One call: what, by whom, about what, in which words."""

    what: str
    who: int
    job: int
    proposal: int
    text: str
    rate: int
    moves: tuple[Move, ...]
    hire: str
    contract: str
    organisation: str
    confirm_declined: bool
    job_state: str
    again: str  # "no"; "same" or "other": under the same request_id, the same or another call

    @property
    def caller(self) -> str:
        return CALLERS[self.what][self.who]


def invites(job: int, trainer: str) -> bool:
    """Whether the trainer finds the job."""
    return JOBS[job][1] != "INVITE_ONLY" or trainer in INVITED


PLACES = st.sampled_from((0, 0, 0, 0, 1, 1, 1, 2, 3, 4))
MOVES = st.builds(
    Move,
    proposal=PLACES,
    state=st.sampled_from((*STATES * 3, *BAD_STATES)),
    etag=st.sampled_from((*("none",) * 4, *("present",) * 4, "stale")),
)
CALLS = st.builds(
    Call,
    what=st.sampled_from(
        (*("reserve", "hire", "withdraw", "review", "review", "screen", "answer"), *CALLERS)
    ),
    who=st.integers(0, 9),
    job=st.sampled_from((0, 0, 0, 1, 1, 2, 2, *(PLANNED,) * 4, 4)),
    proposal=PLACES,
    text=st.sampled_from((*TEXTS[:2] * 4, *TEXTS)),
    rate=st.sampled_from((*(6000, 4000) * 4, 0)),
    moves=st.lists(MOVES, min_size=1, max_size=3).map(tuple),
    hire=st.sampled_from(("h1", "h1", "h2", "h3")),
    contract=st.sampled_from((*("c1",) * 5, "c2", "")),
    organisation=st.sampled_from((*("A",) * 9, "B")),
    confirm_declined=st.booleans(),
    job_state=st.sampled_from((*("PUBLISHED",) * 4, "HIRING_DONE", "ARCHIVED")),
    again=st.sampled_from(("no", "no", "same", "other")),
)


def _first(what: str, who: int, job: int) -> Call:
    return Call(what, who, job, 0, "Hello", 6000, (), "h1", "c1", "", True, "", "no")


# Before the random ones, so that these have something to be about: by tom and tim for A, tim for B,
# and tom's whole way to a proposal where a screening comes before.
FIRST = (
    *(_first("submit", who, job) for who, job in ((0, 0), (1, 0), (1, 1))),
    *(_first(what, 0, PLANNED) for what in ("screen", "submit", "answer", "record", "submit")),
)
