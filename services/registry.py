"""Which services exist, and where each is put together."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from services.common.runtime import Part, Resources

SERVICES = {
    "jobs": "services.jobs.wiring",
    "proposals": "services.proposals.wiring",
    "contracts": "services.contracts.wiring",
    "messaging": "services.messaging.wiring",
}


class Wiring(Protocol):
    """What each service's wiring module holds."""

    SCHEMA: str
    MIGRATIONS: Path

    def build(self, resources: Resources) -> Part:
        """Put the service together."""


def load(names: Sequence[str]) -> list[Wiring]:
    """Import the wiring of the named services, and of no other.

    Raises:
        KeyError: there is no such service.

    """
    return [cast("Wiring", import_module(SERVICES[name])) for name in names]
