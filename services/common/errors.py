"""What can go wrong in business words; the server turns each into one gRPC status.

Standard library only, so that a domain may raise these too. A `reason` is the name of a value of
`hireflow.common.v1.ErrorReason` without its prefix.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

# Of the reasons, as google.rpc.ErrorInfo has it.
DOMAIN = "hireflow"
# The longest id of ours; a provider's may be longer.
ID_LIMIT = 64
# Of a request with a million wrong items nobody reads all.
MOST_VIOLATIONS = 200
_IN_MESSAGE = 3


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path as in the proto (`job.pay.currency_code`) and what it must be."""

    field: str
    description: str


class HireflowError(Exception):
    """An error that the caller is meant to understand.

    Args:
        reason: the machine-readable name.
        message: what happened, why, and what to do; never personal data.
        metadata: facts a program may use, such as the present state.
        violations: the fields that are wrong or missing, all of them.
        untold: how many more there were, which nobody kept.

    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Iterable[Violation] = (),
        untold: int = 0,
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.untold = untold


class InvalidInput(HireflowError):
    """INVALID_ARGUMENT: names every wrong field at once; its message the first few and a count."""

    def __init__(
        self,
        violations: Iterable[Violation],
        *,
        reason: str = "INVALID_FIELDS",
        untold: int = 0,
    ) -> None:
        every = tuple(violations)
        told = [f"{each.field} {each.description}" for each in every[:_IN_MESSAGE]]
        if more := len(every) - len(told) + untold:
            told.append(f"and {more} more")
        super().__init__(reason, "; ".join(told), violations=every, untold=untold)


class NotFound(HireflowError):
    """NOT_FOUND: it does not exist, or the caller may not know of it; the answer is the same."""

    def __init__(self, resource: str, identifier: str) -> None:
        super().__init__(
            "NOT_FOUND",
            f"{resource} {identifier} does not exist, or you may not read it",
            metadata={"resource": resource, "id": identifier},
        )


class Refused(HireflowError):
    """FAILED_PRECONDITION: the present state does not allow it; repeating will not help."""


class Conflict(HireflowError):
    """ABORTED: another write came first; read again and repeat."""


class Denied(HireflowError):
    """PERMISSION_DENIED: this kind of caller may never do it."""


class Unauthenticated(HireflowError):
    """UNAUTHENTICATED: no token, or one that does not verify."""


class Unavailable(HireflowError):
    """UNAVAILABLE: a dependency does not answer now; the same call may be repeated."""


class Behind(Unavailable):
    """UNAVAILABLE: what a service keeps of its neighbours is older than it was before."""


class Exhausted(HireflowError):
    """RESOURCE_EXHAUSTED: a limit is reached; the message names it."""


class Problems:
    """Collects every violation, so that a caller mends all of them in one go.

    Of more than 200 the rest are only counted.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._untold = 0

    def require_id(self, field: str, identifier: str, *, limit: int = ID_LIMIT) -> bool:
        """Note an id that is missing, too long or not printable; answer whether it is sound."""
        sound = 0 < len(identifier) <= limit and identifier.isprintable()
        return self.require(sound, field, f"must have 1 to {limit} printable characters")

    def add(self, field: str, description: str) -> None:
        """Note one violation."""
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(Violation(field, description))
        else:
            self._untold += 1

    def require(self, condition: object, field: str, description: str) -> bool:
        """Note a violation unless `condition` holds; answer whether it holds."""
        if not condition:
            self.add(field, description)
        return bool(condition)

    def refuse(self) -> None:
        """Raise what was noted, together.

        Raises:
            InvalidInput: if at least one problem was noted.

        """
        if self.violations:
            raise InvalidInput(self.violations, untold=self._untold)


@contextmanager
def problems() -> Iterator[Problems]:
    """Collect problems in the block and raise them together at its end.

    Raises:
        InvalidInput: if at least one problem was noted.

    """
    noted = Problems()
    yield noted
    noted.refuse()
