"""Who may call each method of the services of proposals: the row that every method must have."""

from typing import Literal

Answer = Literal["allowed", "denied"]


def _row(*allowed: str) -> dict[str, Answer]:
    kinds = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
    return {kind: "allowed" if kind in allowed else "denied" for kind in kinds}


READERS = ("EMPLOYER", "AGENT", "OPERATOR", "SERVICE")
AUTHORISATION: dict[str, dict[str, Answer]] = {
    "UpsertProfile": _row("TRAINER"),
    "GetProfile": _row("TRAINER"),
    "SubmitProposal": _row("TRAINER"),
    "WithdrawProposal": _row("TRAINER"),
    "GetOwnProposal": _row("TRAINER"),
    "ListOwnProposals": _row("TRAINER"),
    "GetProposal": _row(*READERS),
    "ListProposals": _row(*READERS),
    "CountProposals": _row(*READERS),
    "SetReviewState": _row("EMPLOYER", "AGENT"),
    "ReviewProposals": _row("EMPLOYER", "AGENT"),
    "AddNote": _row("EMPLOYER", "AGENT"),
    "ListNotes": _row(*READERS),
    # The hires' worker alone, by its own name; the tests of hiring show it.
    "ReserveProposal": _row(),
    "ReleaseProposal": _row(),
    "MarkHired": _row(),
}
MATCHING: dict[str, dict[str, Answer]] = {"ListMatchingJobs": _row("TRAINER")}
SCREENING: dict[str, dict[str, Answer]] = {
    "StartScreening": _row("TRAINER"),
    "AnswerScreening": _row("TRAINER"),
    "GetOwnScreening": _row("TRAINER"),
    # One service alone, by its own name; the tests of screening show it.
    "RecordInterview": _row(),
    "GetScreening": _row(*READERS),
}
VIEW: dict[str, dict[str, Answer]] = {
    "ViewProposal": _row(*READERS),
}
FOLDERS: dict[str, dict[str, Answer]] = {
    "ListFolderScreening": _row(*READERS),
    "ExportFolderScreening": _row(*READERS),
}
