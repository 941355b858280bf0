"""Folders, which group an organisation's jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.common.errors import Conflict, Violation

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 1000
# So much may it cost to count a folder, to delete it, and to make a table of all its jobs.
JOBS_LIMIT = 500

_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Label:
    """What members write of a folder; a colour is empty or as "#1f77b4"."""

    name: str
    description: str = ""
    colour: str = ""

    def violations(self) -> Iterator[Violation]:
        """Name every field that is outside its limits."""
        name = self.name
        if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
            yield Violation("folder.name", f"is one line of 1 to {NAME_LIMIT} characters")
        if len(self.description) > DESCRIPTION_LIMIT or "\x00" in self.description:
            yield Violation("folder.description", f"is at most {DESCRIPTION_LIMIT} characters")
        if self.colour and not _COLOUR.fullmatch(self.colour):
            yield Violation("folder.colour", 'is empty or six hexadecimal digits: "#1f77b4"')


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; `version` grows with every change of its own fields and is its etag.

    `jobs` counts the jobs in it; it is read with the folder, no part of it.
    """

    folder_id: str
    organisation_id: str
    label: Label
    version: int
    create_time: datetime
    update_time: datetime
    jobs: int = 0

    @property
    def etag(self) -> str:
        """Changes with every change of the folder's own fields."""
        return f"v{self.version}"

    @property
    def places(self) -> int:
        """How many more jobs it takes."""
        # One that was filled before there was a limit may have more.
        return max(0, JOBS_LIMIT - self.jobs)

    def require_etag(self, etag: str) -> None:
        """Raise Conflict ETAG_MISMATCH unless the etag is empty or the folder's present one."""
        if etag and etag != self.etag:
            raise Conflict(
                "ETAG_MISMATCH", "the folder has changed since it was read; read it again"
            )

    def relabel(self, label: Label, now: datetime) -> Self:
        """Rewrite its fields."""
        return replace(self, label=label, version=self.version + 1, update_time=now)

    def delete(self, now: datetime) -> Self:
        """Step to its last version."""
        return replace(self, version=self.version + 1, update_time=now)
