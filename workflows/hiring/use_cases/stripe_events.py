"""The provider's events: stored once, then routed; what dies in between loses nothing."""

from dataclasses import dataclass
from datetime import timedelta

from services.common.database import notify
from services.common.errors import Unavailable
from services.common.stop_points import stop_point
from services.common.telemetry import get_logger
from workflows.hiring.domain import Funding, Route, StripeEvent
from workflows.hiring.figures import count_routed
from workflows.hiring.store import fundings, stripe_events
from workflows.hiring.use_cases.ports import Hints, NotRunning
from workflows.hiring.use_cases.unit import EVENTS, Hiring

# Longer than a hint may take; a process that dies with an event leaves it to the next.
LEASE = timedelta(seconds=30)
RETRY = timedelta(seconds=5)
_BATCH = 50
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Routed:
    event: StripeEvent
    funding: Funding | None
    route: Route

    @property
    def news(self) -> bool:
        """Whether it is a late fact that we did not know from the answer to our own call."""
        return self.route is Route.LATE_FACT and not self.event.tells_nothing_new(self.funding)


async def store_event(hiring: Hiring, event: StripeEvent) -> bool:
    """Store an event and wake the routing; false, and nothing done, when it came before."""
    async with hiring.database.begin() as tx:
        stored = await stripe_events.insert_event(tx, event)
        if stored:
            await notify(tx, EVENTS)
    return stored


async def route_events(hiring: Hiring, hints: Hints, env: str) -> int:
    """Route what is due, and answer how many events that were.

    An event that cannot be routed now is tried again; one whose hint was sent twice does no harm,
    since a hint is never believed.
    """
    async with hiring.database.begin() as tx:
        due = await stripe_events.claim_events(tx, hiring.clock(), LEASE, _BATCH)
    for event in due:
        await _route(hiring, hints, event, env)
    return len(due)


async def seconds_until_due(hiring: Hiring, longest: float) -> float:
    """Tell how long nothing is due, at most `longest` seconds."""
    async with hiring.database.read() as connection:
        due = await stripe_events.next_due(connection)
    if due is None:
        return longest
    return min(max((due - hiring.clock()).total_seconds(), 0.0), longest)


async def _route(hiring: Hiring, hints: Hints, event: StripeEvent, env: str) -> None:
    now = hiring.clock()
    async with hiring.database.read() as connection:
        funding = await fundings.find_funding(connection, event.funding_id)
    routed = _Routed(event, funding, event.route(funding, env, now))
    if routed.route is Route.HINTED and funding is not None:
        try:
            await hints.hint(funding.workflow_id, event.object_id)
            await stop_point("webhook.hinted", event.object_id)
        except NotRunning:
            routed = _Routed(event, funding, Route.LATE_FACT)
        except Unavailable as error:
            await _postpone(hiring, event, error)
            return
    if routed.news and event.late_kind is not None:
        try:
            await hints.late_fact(event.late_kind, event.object_id)
        except Unavailable as error:
            await _postpone(hiring, event, error)
            return
    async with hiring.database.begin() as tx:
        if routed.route is Route.WAITING:
            await stripe_events.postpone(tx, event.event_id, now + RETRY, waiting=True)
        else:
            await stripe_events.save_route(tx, event.event_id, routed.route, now)
    _tell(routed)


async def _postpone(hiring: Hiring, event: StripeEvent, error: Unavailable) -> None:
    _log.warning("hint waits", event_id=event.event_id, error=error.message)
    async with hiring.database.begin() as tx:
        due = hiring.clock() + RETRY
        await stripe_events.postpone(tx, event.event_id, due, waiting=False)


def _tell(routed: _Routed) -> None:
    event = routed.event
    count_routed(routed.route)
    facts = {"event_id": event.event_id, "type": event.type, "object_id": event.object_id}
    if routed.news:
        _log.warning("late fact of the payment provider", **facts)
    elif routed.route is Route.UNROUTABLE:
        _log.warning("event of the payment provider that is none of ours", **facts)
    else:
        _log.info("event of the payment provider", route=routed.route, **facts)
