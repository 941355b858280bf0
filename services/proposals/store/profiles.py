"""Trainers' profiles."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Profile
from services.proposals.store.tables import PROFILE

_SAVED = insert(PROFILE)
_SAVED = _SAVED.on_conflict_do_update(
    index_elements=["trainer_id"], set_={column.name: column for column in _SAVED.excluded}
)


async def save_profile(tx: AsyncConnection, profile: Profile) -> None:
    """Store a profile, whole."""
    row = {
        "trainer_id": profile.trainer_id,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "country": profile.country,
        "title": profile.title,
        "languages": list(profile.languages),
        "skills": list(profile.skills),
        "resume_reference": profile.resume_reference,
        "update_time": profile.update_time,
    }
    await tx.execute(_SAVED, row)


async def find_profile(connection: AsyncConnection, trainer_id: str) -> Profile | None:
    """Read a trainer's profile."""
    query = sa.select(PROFILE).where(PROFILE.c.trainer_id == trainer_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else profile_of(dict(row))


def profile_of(row: Mapping[str, Any]) -> Profile:
    """Make the profile that a row holds."""
    lists = {name: tuple(row[name]) for name in ("languages", "skills")}
    return Profile(**{**row, **lists})
