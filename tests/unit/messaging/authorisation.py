"""Who may call each method of MessagingService: the row that every method must have.

A kind that is denied is refused with CALLER_NOT_ALLOWED whatever it asks for; a kind that is
allowed may still be told NOT_FOUND of what is not its own.
"""

from typing import Literal

Answer = Literal["allowed", "denied"]


def _row(*allowed: str) -> dict[str, Answer]:
    kinds = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
    return {kind: "allowed" if kind in allowed else "denied" for kind in kinds}


AUTHORISATION: dict[str, dict[str, Answer]] = {
    "OpenProposalThread": _row("EMPLOYER", "AGENT"),
    "OpenJobThread": _row("SERVICE"),
    "GetThread": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "ListThreads": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "SendMessage": _row("EMPLOYER", "AGENT", "TRAINER"),
    "ListMessages": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "AskCandidates": _row("EMPLOYER", "AGENT"),
    "EditMessage": _row("EMPLOYER", "AGENT", "TRAINER"),
    "DeleteMessage": _row("EMPLOYER", "AGENT", "TRAINER"),
    "MarkRead": _row("EMPLOYER", "AGENT", "TRAINER"),
    "WatchThread": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "ListMessageVersions": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
}
CHANNELS: dict[str, dict[str, Answer]] = {
    "CreateChannel": _row("EMPLOYER", "AGENT"),
    "RenameChannel": _row("EMPLOYER", "AGENT"),
    "AddChannelMembers": _row("EMPLOYER", "AGENT"),
    "RemoveChannelMembers": _row("EMPLOYER", "AGENT"),
    "ListChannelMembers": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
}
