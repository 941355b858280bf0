"""Random calls to the services of jobs, right and wrong ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

# The members of each organisation, and the trainers whom they may invite.
ORGANISATIONS = {"ann": "A", "amy": "A", "bob": "B"}
MEMBERS = ("ann", "amy")
TRAINERS = ("tom", "tim")
PEOPLE = (*ORGANISATIONS, *TRAINERS, "operator")
# What hires do; it is asked by the workflow.
HIRES = ("reserve", "release", "fill", "give_back")
WORKFLOW = "workflow"
COMPLETE: Mapping[str, object] = {
    "title": "Rate cats",
    "description": "Tell cats from dogs.",
    "paid": True,
    "visibility": "PUBLIC",
    "finishes": False,
    "positions": 2,
}
# What a member may write of a new job, over what is complete; None is outside its limits.
DRAFTS: tuple[Mapping[str, object] | None, ...] = (
    {},
    {"finishes": True, "positions": 1},
    {"visibility": "INVITE_ONLY", "finishes": True},
    {"title": "", "paid": False},
    None,
)


@dataclass(frozen=True)
class Edit:
    """A change of a job: the values sent, the paths of the mask, and what ought to change."""

    values: Mapping[str, object]
    mask: tuple[str, ...]
    changes: Mapping[str, object] | None  # None: a bad field or path


EDITS = (
    Edit({"title": "Rate dogs"}, ("title",), {"title": "Rate dogs"}),
    Edit({"title": "Rate cats"}, (), {"title": "Rate cats"}),
    Edit({"title": " "}, ("title",), {"title": " "}),
    # What the mask does not name stays; what it names is emptied where nothing is sent.
    Edit({"title": "Ignored"}, ("description",), {"description": ""}),
    Edit({"description": "Anew."}, ("description", "pay"), {"description": "Anew.", "paid": False}),
    Edit({"paid": True}, (), {"paid": True}),
    Edit({"visibility": "UNLISTED"}, ("settings",), {"visibility": "UNLISTED", "finishes": False}),
    Edit({"visibility": "INVITE_ONLY"}, (), {"visibility": "INVITE_ONLY"}),
    Edit({"finishes": True, "positions": 1}, (), {"finishes": True, "positions": 1}),
    Edit({"positions": 2}, ("positions", "pay.kind"), {"positions": 2, "paid": False}),
    Edit({"positions": 3}, ("positions",), {"positions": 3}),
    Edit({"finishes": True}, ("settings",), None),
    Edit({"title": "x" * 201}, (), None),
    Edit({"title": "Rate dogs"}, ("title", "state"), None),
)
NAMES = ("Spring", "SPRING", "Autumn", " ", "two\nlines")
INVITED = (("tom",), ("tom", "tim"), ("tim", "tim"), ())
TRANSITIONS = {
    "publish": (("DRAFT",), "PUBLISHED", "published"),
    "finish": (("PUBLISHED",), "HIRING_DONE", "hiring_finished"),
    "reopen": (("HIRING_DONE",), "PUBLISHED", "hiring_reopened"),
    "archive": (("DRAFT", "HIRING_DONE"), "ARCHIVED", "archived"),
}


@dataclass(frozen=True)
class Call:
    """One call: what, by whom, on which job and folder, with which words and etag."""

    what: str
    caller: str
    job: int
    folder: int
    draft: Mapping[str, object] | None
    edit: Edit
    name: str
    invited: tuple[str, ...]
    hire: int
    etag: str  # "none", "present" or "stale"
    again: str  # "no"; "same" or "other": under the same request_id, the same or another call

    @property
    def by(self) -> str:
        """Who calls: where a member would do what hires do, the workflow does it."""
        return WORKFLOW if self.what in HIRES and self.caller in MEMBERS else self.caller

    @property
    def place(self) -> int:
        """The job's place; a hire has mostly one of two."""
        return self.hire % 2 if self.what in HIRES and self.job < 2 else self.job

    @property
    def contract(self) -> int:
        """The contract that a hire names: mostly its own."""
        return self.hire + 1 if self.etag == "stale" else self.hire


CALLS = st.builds(
    Call,
    # The more often, the more there is to do: one in ten is somebody who may not, or nonsense.
    what=st.sampled_from(
        (
            *(
                "edit",
                "edit",
                "edit",
                "publish",
                "publish",
                "finish",
                "finish",
                "reopen",
                "archive",
            ),
            *("invite", "invite", "revoke", "move", "move", "move", "create"),
            *(("reserve", "reserve", "fill", "fill") * 4),
            *("release", "give_back", "give_back", "give_back", "write", "write"),
            *("make_folder", "rename_folder", "rename_folder", "delete_folder", "delete_folder"),
        )
    ),
    caller=st.sampled_from((*MEMBERS * 6, "bob", "bob", "tom", "operator")),
    job=st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4)),
    folder=st.sampled_from((0, 0, 0, 0, 1, 1, 2, 3, -1)),  # -1 is no folder
    draft=st.sampled_from((*DRAFTS, *DRAFTS[:-1])),
    edit=st.sampled_from((*EDITS, *EDITS[:-3])),
    name=st.sampled_from((*NAMES, *NAMES[:-2], *NAMES[:-2])),
    invited=st.sampled_from((*INVITED, *INVITED[:-1])),
    hire=st.sampled_from((0, 0, 0, 1, 1, 2, 2, 3, 4, 6)),
    etag=st.sampled_from((*("none",) * 4, *("present",) * 4, "stale")),
    again=st.sampled_from(("no", "no", "same", "other")),
)
# Before the random ones, so that these have something to be about.
FIRST = tuple(
    Call(what, caller, 0, 0, draft, EDITS[0], name, (), 0, "none", "no")
    for what, caller, name, draft in (
        ("create", "ann", "", DRAFTS[1]),
        ("create", "ann", "", DRAFTS[0]),
        ("create", "bob", "", DRAFTS[0]),
        ("publish", "ann", "", None),
        ("make_folder", "ann", "Spring", None),
        ("make_folder", "ann", "Winter", None),
        ("make_folder", "bob", "Spring", None),
    )
)


def moved(call: Call) -> tuple[int, int]:
    """The places of the jobs that a call moves."""
    return call.job, call.job + 1


def revoked(call: Call) -> str:
    """Whose invitation a call takes back."""
    return call.invited[0] if call.invited else TRAINERS[0]
