"""Rebuilding a read model: it is emptied, and the consumer hears the whole stream again.

Until it has, its service answers nothing (see `catching_up`). Afterwards each position is 0 again,
so the inbox applies each aggregate's events from version 1 on, once and in order, whichever process
they come to, and whatever else is on its way meanwhile.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.bus import Bus, source_of
from services.common.catching_up import note_behind
from services.common.errors import Refused
from services.common.inbox import Subscription
from services.common.stop_points import stop_point
from services.common.tables import chassis_tables


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Of how many aggregates the events are applied again."""

    aggregates: int


async def rebuild(
    transaction: AsyncConnection, bus: Bus, schema: str, subscription: Subscription
) -> Rebuilt:
    """Empty a read model, its positions and its held events, and have all events delivered again.

    The lock on the positions keeps every process from applying anything until this commits, so the
    durable consumer may be deleted within it: what the next one delivers meets the empty read
    model. If this does not commit, all is delivered again and skipped as applied. Each process
    makes the durable anew when it misses it. The schema's other consumers wait for the moment,
    too; who only reads waits for the emptying alone, which comes last.

    Raises:
        Refused: STREAM_INCOMPLETE, the stream lacks older events that the read model was made of.
        Unavailable: the stream does not answer, or a consumer's transaction takes too long.

    """
    await _require_all_events(bus, subscription)
    tables = chassis_tables(sa.MetaData(schema=schema))
    positions, held = tables.inbox, tables.inbox_held
    consumer = subscription.consumer
    lock = f"LOCK TABLE {positions.fullname} IN SHARE ROW EXCLUSIVE MODE"
    await transaction.execute(sa.text(lock))
    await transaction.execute(sa.delete(held).where(held.c.consumer == consumer))
    of_aggregates = (positions.c.consumer == consumer) & (positions.c.aggregate_type != "")
    gone = await transaction.execute(sa.delete(positions).where(of_aggregates))
    await note_behind(transaction, schema, consumer, await bus.last_sequence())
    await bus.forget_consumer(consumer)
    await stop_point("rebuild.forgotten", consumer)
    emptied = ", ".join(f"{schema}.{name}" for name in subscription.read_model)
    await transaction.execute(sa.text(f"TRUNCATE {emptied}"))
    return Rebuilt(gone.rowcount)


async def _require_all_events(bus: Bus, subscription: Subscription) -> None:
    sources = sorted(set(map(source_of, subscription.subjects)))
    cut = [each for each in sources if not await bus.has_all_of(each)]
    if cut:
        names = " and ".join(cut)
        message = (
            f"the stream has no longer every event of {names}, and older rows would be lost: "
            f"have {names} republished from the first event, and then rebuild"
        )
        raise Refused("STREAM_INCOMPLETE", message, metadata={"schemas": ",".join(cut)})
