"""Trainers: the profile that is theirs alone, and the masked candidate that employers see."""

from dataclasses import dataclass
from datetime import datetime

from services.common.contact_details import without_contact_details


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trainer as employers see one: masked, as at submission."""

    trainer_id: str
    display_name: str
    country: str
    title: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A trainer's profile; the trainer alone reads it whole."""

    trainer_id: str
    first_name: str
    last_name: str
    country: str
    title: str
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    resume_reference: str
    update_time: datetime

    def masked(self) -> Candidate:
        """Show what employers may see: "Jordan L.", country, title (the mission, "People").

        Contact details are removed, wherever a trainer may have written them.
        """
        first_name, title = map(without_contact_details, (self.first_name, self.title))
        display_name = f"{first_name} {self.last_name[0].upper()}."
        return Candidate(self.trainer_id, display_name, self.country, title)
