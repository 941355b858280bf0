"""Pruning: what is done with and older than its retention goes, in small batches.

From the outbox go events that the stream has acknowledged, never others, and none while events are
being sent again. The next version of an aggregate follows on the last one that went. What went can
be neither republished nor heard by a consumer that begins anew, which waits for version 1: so the
outbox is kept for ever unless its retention says otherwise. Positions of consumers are never
pruned: they are the proof of what was applied. The stream prunes itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.common.bus import EVENTS
from services.common.database import Database
from services.common.ending import end_if_told
from services.common.errors import Conflict, Unavailable
from services.common.settings import Settings
from services.common.stop_points import stop_point
from services.common.tables import chassis_tables
from services.common.telemetry import get_logger

BATCH = 500
_log = get_logger(__name__)


class Pruner:
    """Prunes one schema. Any number may run: each batch is one's."""

    def __init__(self, database: Database, schema: str, settings: Settings) -> None:
        self._database = database
        self._schema = schema
        self._settings = settings
        self._tables = chassis_tables(sa.MetaData(schema=schema))

    async def run(self) -> None:
        """Prune every `prune_interval` seconds until cancelled."""
        while True:
            end_if_told()
            try:
                await self.prune()
            except (Unavailable, Conflict) as error:
                _log.warning("pruning waits", schema=self._schema, error=repr(error))
            await asyncio.sleep(self._settings.prune_interval)

    async def prune(self) -> None:
        """Prune whatever is old enough now, batch by batch; each is committed by itself.

        Raises:
            Unavailable: the database does not answer.

        """
        await self._in_batches(self.prune_outbox, self._settings.outbox_retention)
        await self._in_batches(self.prune_requests, self._settings.request_retention)

    async def _in_batches(
        self, prune: Callable[[timedelta], Awaitable[int]], retention: float
    ) -> None:
        if not retention:
            return
        while await prune(timedelta(seconds=retention)):
            await stop_point("pruned", self._schema)

    async def prune_outbox(self, retention: timedelta) -> int:
        """Delete those of the first 500 events that were sent longer ago; answer how many.

        Raises:
            Unavailable: the database does not answer.

        """
        outbox, pruned, streams = (
            self._tables.outbox,
            self._tables.outbox_pruned,
            self._tables.outbox_stream,
        )
        async with self._database.begin() as transaction:
            # Locked: one prunes at a time, and nobody orders or does a republishing meanwhile.
            free = await transaction.execute(
                sa.select(streams.c.stream)
                .where(streams.c.stream == EVENTS, streams.c.resend_after.is_(None))
                .with_for_update(skip_locked=True)
            )
            if free.one_or_none() is None:
                return 0
            # Positions rise with time: only the first rows are looked at, whatever stands behind.
            first = sa.select(outbox.c.id).order_by(outbox.c.id).limit(BATCH).cte("first")
            gone = (
                sa.delete(outbox)
                .where(outbox.c.id == first.c.id, outbox.c.sent_at < sa.func.now() - retention)
                .returning(outbox.c.aggregate_type, outbox.c.aggregate_id, outbox.c.version)
                .cte("gone")
            )
            key = (gone.c.aggregate_type, gone.c.aggregate_id)
            last = sa.select(*key, sa.func.max(gone.c.version)).group_by(*key)
            kept = insert(pruned).from_select(["aggregate_type", "aggregate_id", "version"], last)
            highest = sa.func.greatest(pruned.c.version, kept.excluded.version)
            noted = kept.on_conflict_do_update(
                constraint="outbox_pruned_pkey", set_={"version": highest}
            ).cte("noted")
            counted = sa.select(sa.func.count()).select_from(gone).add_cte(noted)
            number: int = (await transaction.execute(counted)).scalar_one()
        return number

    async def prune_requests(self, retention: timedelta) -> int:
        """Delete at most 500 requests that were answered longer ago; answer how many.

        Raises:
            Unavailable: the database does not answer.

        """
        request = self._tables.request
        key = (request.c.principal, request.c.request_id)
        old = (
            sa.select(*key)
            .where(request.c.create_time < sa.func.now() - retention)
            .order_by(request.c.create_time)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        async with self._database.begin() as transaction:
            gone = await transaction.execute(sa.delete(request).where(sa.tuple_(*key).in_(old)))
        return gone.rowcount
