"""Where callers are served: the hire's own rows, and whom they are settled with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from workflows.hire.contract import HirePolicy
from workflows.hiring.use_cases.ports import Neighbours, Stories
from workflows.hiring.use_cases.unit import HIRES, Hiring
from workflows.payments.gateway import Customers, Intents

Seen = TypeVar("Seen")

# A notification can be lost while the listening connection is renewed.
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases that serve callers work with.

    Attributes:
        policy: the deadlines that hires started from now on are given.
        env: the environment's name, which stands in the keys and metadata at the provider.

    """

    hiring: Hiring
    neighbours: Neighbours
    stories: Stories
    customers: Customers
    intents: Intents
    policy: HirePolicy
    env: str


async def watch(
    hiring: Hiring,
    hire_id: str,
    look: Callable[[], Awaitable[Seen]],
    done: Callable[[Seen], bool],
    seconds: float,
) -> Seen:
    """Look at a hire whenever it changes, until done or the seconds are over; answer the last."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with hiring.database.listen(HIRES, hire_id) as signal:
        while True:
            seen = await look()
            left = end - loop.time()
            if done(seen) or left <= 0:
                return seen
            await signal.wait(min(left, _POLL_SECONDS))
