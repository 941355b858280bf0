"""Resume tokens of streams: opaque, versioned, good for one resource and one caller."""

import base64
import hashlib
import json

from services.common.auth import Principal
from services.common.errors import InvalidInput, Violation

_VERSION = 1
_LONGEST = 200


def write_token(caller: Principal, watched_id: str, number: int) -> str:
    """Make the token that resumes after what was told under this number.

    It is opaque, not secret: it holds the number, and whoever forges one only begins elsewhere in
    a story that they may read anyway.
    """
    text = json.dumps([_VERSION, _scope(caller, watched_id), number], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(caller: Principal, watched_id: str, token: str) -> int:
    """Read after which number to resume; an empty token means from the beginning.

    Raises:
        InvalidInput: the token is malformed, or of another resource or caller.

    """
    if not token:
        return 0
    try:
        if len(token) > _LONGEST:
            raise ValueError(token)
        padded = token + "=" * (-len(token) % 4)
        version, scope, number = json.loads(base64.b64decode(padded, b"-_", validate=True))
        if (version, scope) != (_VERSION, _scope(caller, watched_id)) or type(number) is not int:
            raise ValueError(token)
    except (ValueError, TypeError) as error:
        told = "is not one of this stream: begin again without it"
        raise InvalidInput([Violation("resume_token", told)]) from error
    return max(number, 0)


def _scope(caller: Principal, watched_id: str) -> str:
    return hashlib.sha256(repr((caller.kind, caller.id, watched_id)).encode()).hexdigest()[:16]
