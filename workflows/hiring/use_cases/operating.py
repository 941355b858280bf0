"""What operators see of hires under way, and order them to do."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from services.common.errors import NotFound, Refused
from services.common.idempotency import Request
from services.common.paging import Cursor, Page
from workflows.hire.contract import OperatorOrder, OperatorVerb
from workflows.hiring.domain import HireStep, ToldHire, WaitsOn
from workflows.hiring.store import hires
from workflows.hiring.store.standing import list_standing
from workflows.hiring.use_cases.access import Operator
from workflows.hiring.use_cases.desk import Desk, watch
from workflows.hiring.use_cases.ports import NotRunning
from workflows.hiring.use_cases.requests import claim_request
from workflows.hiring.use_cases.steering import still_starting
from workflows.hiring.use_cases.unit import Hiring

# What a step of ours takes at most when all is well, so that a hire in its stride is not stuck.
_IN_ITS_STRIDE = timedelta(seconds=30)

# The step in which the story says that it took up an order.
_TOLD_AS = {
    OperatorVerb.RETRY_STEP: "retry_ordered",
    OperatorVerb.SKIP_THREAD: "thread_skipped",
    OperatorVerb.REFUND_IN_FULL: "refund_ordered",
    OperatorVerb.EXTEND_DEADLINE: "deadline_extended",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator orders a hire to do; `given` carries who and why."""

    hire_id: str
    verb: OperatorVerb
    given: OperatorOrder


@dataclass(frozen=True, slots=True)
class _Seen:
    told: ToldHire
    taken: bool


async def give_order(
    desk: Desk,
    operator: Operator,
    request: Request,
    order: Order,
    patience: Callable[[], float],
) -> ToldHire:
    """Give the hire an order; answers once it is a step of the story, or patience is over.

    A repeat of the request is the same order, and answers with the hire as it is now.

    Raises:
        NotFound: there is no such hire.
        Refused: WRONG_STATE where the order is none of a hire that stands like this;
            PAYMENT_NOT_EXPECTED, DEADLINE_OUT_OF_BOUNDS of an extension.
        Conflict: HIRE_ENDING, or CONFLICT when another operator came first.
        Unavailable: no worker answers.

    """
    hire_id = order.hire_id
    told = await _find(desk.hiring, hire_id)
    claimed = await claim_request(
        desk.hiring, operator.principal, request, hire_id=hire_id, after_step=told.hire.step
    )
    after = claimed.claim.after_step or 0

    async def look() -> _Seen:
        now = await _find(desk.hiring, hire_id)
        async with desk.hiring.database.read() as connection:
            taken = await hires.stepped_since(
                connection, hire_id, after, operator.actor, what=_TOLD_AS[order.verb]
            )
        return _Seen(now, taken)

    seen = await look()
    # A first request is an order of its own, whatever its giver ordered at the same instant.
    if not seen.told.hire.ended and (claimed.fresh or not seen.taken):
        try:
            await desk.stories.give_order(
                told.hire.proposal_id, hire_id, order.verb, claimed.key, order.given
            )
        except NotRunning as error:
            seen = await look()
            if not seen.told.hire.ended:
                raise still_starting() from error
        else:
            seen = await watch(desk.hiring, hire_id, look, _settled, patience())
    if seen.told.hire.ended and not seen.taken:
        ended = f"hire {hire_id} ended {seen.told.hire.state} and takes no order any more"
        raise Refused("WRONG_STATE", ended)
    return seen.told


async def list_stuck(
    hiring: Hiring, _operator: Operator, waits_on: Collection[WaitsOn], cursor: Cursor
) -> Page[ToldHire]:
    """List running hires that wait or make no progress, the longest standing first."""
    before = hiring.clock() - _IN_ITS_STRIDE
    async with hiring.database.read() as connection:
        return await list_standing(connection, waits_on or tuple(WaitsOn), before, cursor)


async def tell_story(
    hiring: Hiring, _operator: Operator, hire_id: str, cursor: Cursor
) -> tuple[ToldHire, Page[HireStep]]:
    """Tell a hire's steps, oldest first. Raises NotFound."""
    told = await _find(hiring, hire_id)
    async with hiring.database.read() as connection:
        return told, await hires.list_steps(connection, hire_id, cursor)


def _settled(seen: _Seen) -> bool:
    return seen.taken or seen.told.hire.ended


async def _find(hiring: Hiring, hire_id: str) -> ToldHire:
    async with hiring.database.read() as connection:
        told = await hires.find_told(connection, hire_id)
    if told is None:
        raise NotFound("hire", hire_id)
    return told
