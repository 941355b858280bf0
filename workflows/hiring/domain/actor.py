"""Who caused a step: an identity, never a name."""

from dataclasses import dataclass
from typing import Protocol


class Causer(Protocol):
    """Anything that tells the kind and subject of who caused something."""

    @property
    def kind(self) -> str:
        """The kind of caller in upper case, such as "EMPLOYER"."""
        ...

    @property
    def id(self) -> str:
        """The subject of the caller's token."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """The kind and subject of a token; the worker's own is of kind SERVICE."""

    kind: str
    id: str
