"""Trainers' profiles."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.proposals.domain import Profile
from services.proposals.store.tables import PROFILE


async def save_profile(tx: AsyncConnection, profile: Profile) -> None:
    """Store a profile, whole."""
    values = {
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
    row = insert(PROFILE).values(values)
    await tx.execute(row.on_conflict_do_update(index_elements=["trainer_id"], set_=values))


async def find_profile(connection: AsyncConnection, trainer_id: str) -> Profile | None:
    """Read a trainer's profile."""
    query = sa.select(PROFILE).where(PROFILE.c.trainer_id == trainer_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Profile(
        trainer_id=row.trainer_id,
        first_name=row.first_name,
        last_name=row.last_name,
        country=row.country,
        title=row.title,
        languages=tuple(row.languages),
        skills=tuple(row.skills),
        resume_reference=row.resume_reference,
        update_time=row.update_time,
    )
