"""Resume tokens of WatchHire: opaque, versioned, good for one hire and one caller."""

import base64
import hashlib
import json

from services.common.auth import Principal
from services.common.errors import InvalidInput, Violation

_VERSION = 1
_LONGEST = 200


def write_token(caller: Principal, hire_id: str, number: int) -> str:
    """Make the token that resumes after a step.

    It is opaque, not secret: it holds the step's number, and whoever forges one only begins
    elsewhere in a story that they may read anyway.
    """
    text = json.dumps([_VERSION, _scope(caller, hire_id), number], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(caller: Principal, hire_id: str, token: str) -> int:
    """Read after which step to resume; an empty token means from the beginning.

    Raises:
        InvalidInput: the token is malformed, or another hire's or caller's.

    """
    if not token:
        return 0
    try:
        if len(token) > _LONGEST:
            raise ValueError(token)
        padded = token + "=" * (-len(token) % 4)
        version, scope, number = json.loads(base64.b64decode(padded, b"-_", validate=True))
        if (version, scope) != (_VERSION, _scope(caller, hire_id)) or type(number) is not int:
            raise ValueError(token)
    except (ValueError, TypeError) as error:
        told = "is not one of this hire: begin again without it"
        raise InvalidInput([Violation("resume_token", told)]) from error
    return max(number, 0)


def _scope(caller: Principal, hire_id: str) -> str:
    return hashlib.sha256(repr((caller.kind, caller.id, hire_id)).encode()).hexdigest()[:16]
