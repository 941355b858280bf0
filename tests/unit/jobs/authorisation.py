"""Who may call each method of the services of jobs: the row that every method must have.

A kind that is denied is refused with CALLER_NOT_ALLOWED whatever it asks for; a kind that is
allowed may still be told NOT_FOUND of what is not its own.
"""

from typing import Literal

Answer = Literal["allowed", "denied"]


def _row(*allowed: str) -> dict[str, Answer]:
    kinds = ("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE")
    return {kind: "allowed" if kind in allowed else "denied" for kind in kinds}


AUTHORISATION: dict[str, dict[str, Answer]] = {
    "CreateJob": _row("EMPLOYER", "AGENT"),
    "UpdateJob": _row("EMPLOYER", "AGENT"),
    "PublishJob": _row("EMPLOYER", "AGENT"),
    "GetJob": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "BatchGetJobs": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR", "SERVICE"),
    "InviteTrainers": _row("EMPLOYER", "AGENT"),
    "RevokeInvitation": _row("EMPLOYER", "AGENT"),
    "ListInvitations": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "ListJobs": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "FinishHiring": _row("EMPLOYER", "AGENT"),
    "ReopenHiring": _row("EMPLOYER", "AGENT"),
    "ArchiveJob": _row("EMPLOYER", "AGENT"),
    "ReservePosition": _row("SERVICE"),
    "ReleasePosition": _row("SERVICE"),
    "FillPosition": _row("SERVICE"),
}

FOLDERS: dict[str, dict[str, Answer]] = {
    "CreateFolder": _row("EMPLOYER", "AGENT"),
    "UpdateFolder": _row("EMPLOYER", "AGENT"),
    "DeleteFolder": _row("EMPLOYER", "AGENT"),
    "GetFolder": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "ListFolders": _row("EMPLOYER", "AGENT", "OPERATOR", "SERVICE"),
    "MoveJobs": _row("EMPLOYER", "AGENT"),
}

INSTRUCTIONS: dict[str, dict[str, Answer]] = {
    "WriteInstructions": _row("EMPLOYER", "AGENT"),
    "GetInstructions": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR"),
    "ListInstructionsVersions": _row("EMPLOYER", "AGENT", "TRAINER", "OPERATOR"),
}
