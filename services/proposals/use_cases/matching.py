"""What suits a trainer."""

from dataclasses import replace

from services.common.database import Database
from services.common.errors import Refused
from services.common.paging import Cursor, Page
from services.proposals.domain import Opening, ranked
from services.proposals.store import openings, profiles
from services.proposals.use_cases.access import Trainer


async def list_matching_jobs(database: Database, trainer: Trainer, cursor: Cursor) -> Page[Opening]:
    """List the open jobs that the calling trainer may find, the newest so many first.

    So many are a window (see the store), within which the best match comes first, then the newest:
    a page's cost is bounded, and pages lead through all windows.
    Raises Refused PROFILE_MISSING; InvalidInput for a token of no such list.
    """
    async with database.read() as connection:
        profile = await profiles.find_profile(connection, trainer.id)
        if profile is None:
            raise Refused("PROFILE_MISSING", "write your profile: jobs are matched with it")
        window = await openings.find_window(connection, trainer.id, cursor)
        within = cursor if openings.is_within(cursor) else replace(cursor, after=())
        page = within.cut(
            ranked(profile, window.jobs, window.invited),
            lambda opening: (*window.ends, *opening.rank),
        )
        shown = [opening.job.job_id for opening in page.items]
        proposed = await openings.proposed_for(connection, trainer.id, shown)
    items = (replace(each, proposed=each.job.job_id in proposed) for each in page.items)
    token = page.next_token or (cursor.token(window.behind) if window.behind else "")
    return Page(tuple(items), token)
