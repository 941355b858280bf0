"""What anybody may see of hires: read from their own rows, running or ended."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from services.common.auth import Principal
from services.common.errors import NotFound
from services.common.paging import Cursor, Page
from workflows.hiring.domain import Hire, HireStep, ToldHire
from workflows.hiring.store import hires
from workflows.hiring.store.hires import Wanted
from workflows.hiring.use_cases.access import require_may_read
from workflows.hiring.use_cases.unit import HIRES, Hiring

# A notification can be lost while the listening connection is renewed.
_POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ToldStep:
    """One step, with the hire as it stands when the step is told."""

    told: ToldHire
    step: HireStep


async def get_hire(hiring: Hiring, caller: Principal, hire_id: str) -> ToldHire:
    """Read one hire. Raises NotFound when it is unknown or another organisation's."""
    async with hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
    if told is None:
        raise NotFound("hire", hire_id)
    require_may_read(caller, told.hire.organisation_id, "hire", hire_id)
    return told


async def list_hires(
    hiring: Hiring, caller: Principal, wanted: Wanted, cursor: Cursor
) -> Page[ToldHire]:
    """List an organisation's hires, newest first. Raises NotFound for another organisation's."""
    organisation_id = wanted.organisation_id
    require_may_read(caller, organisation_id, "organisation", organisation_id)
    async with hiring.database.read() as connection:
        return await hires.list_told(connection, wanted, cursor)


async def watch_hire(
    hiring: Hiring, caller: Principal, hire_id: str, after: int
) -> AsyncGenerator[ToldStep, None]:
    """Tell a hire's steps with greater numbers as they come, each once and in order, to its end.

    Raises:
        NotFound: it is unknown or another organisation's.

    """
    async with hiring.database.listen(HIRES, hire_id) as signal:
        told = await get_hire(hiring, caller, hire_id)
        while True:
            async with hiring.database.read() as connection:
                steps = await hires.steps_after(connection, hire_id, after)
            if steps:
                # After its steps, so that the last one is told with the hire as it ended.
                told = await get_hire(hiring, caller, hire_id)
            for step in steps:
                after = step.number
                yield ToldStep(told, step)
            if _complete(told.hire, after):
                return
            await signal.wait(_POLL_SECONDS)


def _complete(hire: Hire, told_until: int) -> bool:
    return hire.ended and told_until >= hire.step
