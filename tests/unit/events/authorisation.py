"""Who may call each method of EventsService: operators, and nobody else."""

from typing import Literal

Answer = Literal["allowed", "denied"]

_OPERATORS: dict[str, Answer] = {
    "EMPLOYER": "denied",
    "AGENT": "denied",
    "TRAINER": "denied",
    "OPERATOR": "allowed",
    "SERVICE": "denied",
}

AUTHORISATION: dict[str, dict[str, Answer]] = {
    "ListDeadLetters": _OPERATORS,
    "ReplayDeadLetters": _OPERATORS,
    "RepublishEvents": _OPERATORS,
    "RebuildReadModel": _OPERATORS,
}
