"""What suits a trainer."""

from dataclasses import replace

from services.common.database import Database
from services.common.errors import Refused
from services.common.paging import Cursor, Page
from services.proposals.domain import Opening, ranked
from services.proposals.store import openings, profiles
from services.proposals.use_cases.access import Trainer


async def list_matching_jobs(database: Database, trainer: Trainer, cursor: Cursor) -> Page[Opening]:
    """List the open jobs that the calling trainer may find, best match first, then newest.

    Of all open jobs, the newest so many are ranked (see the store): a page's cost is bounded.
    Raises Refused PROFILE_MISSING; InvalidInput for a token of no such list.
    """
    async with database.read() as connection:
        profile = await profiles.find_profile(connection, trainer.id)
        if profile is None:
            raise Refused("PROFILE_MISSING", "write your profile: jobs are matched with it")
        invited = {
            job.job_id: job for job in await openings.open_to_invited(connection, trainer.id)
        }
        found = invited | {job.job_id: job for job in await openings.open_to_all(connection)}
        page = cursor.cut(ranked(profile, found.values(), invited), lambda opening: opening.rank)
        shown = [opening.job.job_id for opening in page.items]
        proposed = await openings.proposed_for(connection, trainer.id, shown)
    items = (replace(each, proposed=each.job.job_id in proposed) for each in page.items)
    return replace(page, items=tuple(items))
