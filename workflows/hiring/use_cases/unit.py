"""What every use case of hiring works with, and the channel on which a hire's changes are told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.common.database import Database
from services.common.outbox import Outbox

HIRES = "hiring_hire"
"""Notified with a hire's id whenever its row changes."""

EVENTS = "hiring_stripe_event"
"""Notified whenever an event of the provider was stored."""


@dataclass(frozen=True, slots=True)
class Hiring:
    """The schema `hiring` at work: its database, its outbox, the time and new ids."""

    database: Database
    outbox: Outbox
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
