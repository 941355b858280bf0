"""Channels: made by an organisation on its job; its hires are in them.

Whoever changes who is in a job's channels locks the job first, then channels in one order: a hire
and a new channel cannot miss each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.auth import Principal
from services.common.database import Database
from services.common.errors import Exhausted, NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.common.paging import Cursor, Page
from services.messaging import events
from services.messaging.domain import (
    ChangeKind,
    ChannelMember,
    Job,
    SeenThread,
    Sender,
    SenderKind,
    Thread,
    ThreadKind,
    Work,
)
from services.messaging.store import changes, channels, marks, threads
from services.messaging.use_cases.access import Member, sender_of
from services.messaging.use_cases.reading import find_readable

OUTBOX = Outbox("messaging")
REQUESTS = Requests("messaging")
# An event of a contract goes through all channels of its job, a trainer's list through all of its.
CHANNELS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Added:
    """What became of trainers to be taken in: those who are not in the channel."""

    not_hired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """The trainers are out of the channel."""


async def create_channel(
    database: Database,
    member: Member,
    request: Request,
    *,
    thread_id: str,
    job_id: str,
    name: str,
    now: datetime,
) -> SeenThread:
    """Make a channel; where the job's settings say so, with everyone who is hired.

    Raises NotFound when the job is another organisation's, or unknown, also because its events have
    not arrived yet: the same call may be repeated. Raises Exhausted LIMIT_REACHED.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member.principal, request, SeenThread)
        if repeat is not None:
            return repeat
        job = await channels.lock_job(tx, job_id)
        if job is None or job.organisation_id != member.organisation_id:
            raise NotFound("job", job_id)
        if len(await channels.channels_of_job(tx, job.organisation_id, job_id)) >= CHANNELS_LIMIT:
            raise Exhausted("LIMIT_REACHED", f"a job has at most {CHANNELS_LIMIT} channels")
        thread = await threads.claim_thread(tx, Thread.channel(thread_id, job, name, now))
        await OUTBOX.record(tx, events.created(thread))
        if job.adds_hires:
            await _join(tx, thread_id, await channels.hired(tx, job_id), now)
        seen = await threads.get_thread(tx, thread_id, sender_of(member.principal))
        await REQUESTS.answer(tx, member.principal, request, seen)
        return seen


async def rename_channel(
    database: Database,
    member: Member,
    request: Request,
    *,
    thread_id: str,
    name: str,
    now: datetime,
) -> SeenThread:
    """Give a channel another name; the same one changes nothing. Raises NotFound."""
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member.principal, request, SeenThread)
        if repeat is not None:
            return repeat
        await _own_channel(tx, member, thread_id)
        thread = await _locked(tx, thread_id)
        if thread.name != name:
            await channels.rename(tx, thread_id, name)
            await OUTBOX.record(tx, events.renamed(thread_id, now))
        seen = await threads.get_thread(tx, thread_id, sender_of(member.principal))
        await REQUESTS.answer(tx, member.principal, request, seen)
        return seen


async def add_members(
    database: Database,
    member: Member,
    request: Request,
    *,
    thread_id: str,
    trainer_ids: Sequence[str],
    now: datetime,
) -> Added:
    """Take trainers in who have an active contract on the job; who is in it stays in it.

    A repeat gets the first result. Raises NotFound.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member.principal, request, Added)
        if repeat is not None:
            return repeat
        thread = await _own_channel(tx, member, thread_id)
        await channels.lock_job(tx, thread.job_id)
        hired = await channels.hired(tx, thread.job_id, trainer_ids)
        await _join(tx, thread_id, hired, now)
        added = Added(tuple(each for each in trainer_ids if each not in hired))
        await REQUESTS.answer(tx, member.principal, request, added)
        return added


async def remove_members(
    database: Database,
    member: Member,
    request: Request,
    *,
    thread_id: str,
    trainer_ids: Sequence[str],
    now: datetime,
) -> None:
    """Take trainers out; who is not in it changes nothing. Raises NotFound."""
    async with database.begin() as tx:
        if await REQUESTS.claim(tx, member.principal, request, Removed) is not None:
            return
        thread = await _own_channel(tx, member, thread_id)
        await channels.lock_job(tx, thread.job_id)
        await _leave(tx, thread_id, trainer_ids, now)
        await REQUESTS.answer(tx, member.principal, request, Removed())


async def list_members(
    database: Database, caller: Principal, thread_id: str, cursor: Cursor
) -> Page[ChannelMember]:
    """List the trainers in a channel. Raises NotFound when it is none, or not the caller's."""
    async with database.read() as connection:
        thread = await find_readable(connection, caller, thread_id)
        if thread.kind is not ThreadKind.CHANNEL:
            raise NotFound("channel", thread_id)
        return await channels.list_members(connection, thread_id, cursor)


async def learn_job(tx: AsyncConnection, job: Job) -> None:
    """Keep a job as its event tells it."""
    await channels.learn_job(tx, job)


async def learn_work(tx: AsyncConnection, work: Work, now: datetime) -> None:
    """Keep a contract as its event tells it, and let its trainer join or leave the job's channels.

    Joining is for new hires of a job whose settings say so: whoever was taken out stays out. With
    the last active contract the trainer leaves.
    """
    job = await channels.lock_job(tx, work.job_id)
    was_active = await channels.learn_work(tx, work)
    if was_active == work.active:
        return
    ends = not work.active and not await channels.hired(tx, work.job_id, [work.trainer_id])
    joins = work.active and job is not None and job.adds_hires
    if not ends and not joins:
        return
    change = _leave if ends else _join
    for thread_id in await channels.channels_of_job(tx, work.organisation_id, work.job_id):
        await change(tx, thread_id, [work.trainer_id], now)


async def _own_channel(tx: AsyncConnection, member: Member, thread_id: str) -> Thread:
    thread = await threads.find_thread(tx, thread_id)
    own = thread is not None and thread.organisation_id == member.organisation_id
    if thread is None or not own or thread.kind is not ThreadKind.CHANNEL:
        raise NotFound("channel", thread_id)
    return thread


async def _join(
    tx: AsyncConnection, thread_id: str, trainer_ids: Sequence[str], now: datetime
) -> None:
    thread = await _locked(tx, thread_id)
    # An event of before the channel may come after it.
    time = max(now, thread.create_time)
    new = await channels.add_members(tx, thread, trainer_ids, time)
    if new:
        people = [Sender(SenderKind.TRAINER, each) for each in new]
        # What was written before can be read, and is not unread.
        await marks.mark_all(tx, thread_id, people, thread.message_count)
        await changes.record_people(tx, ChangeKind.JOINED, thread_id, people)
        await OUTBOX.record(tx, *(events.joined(thread, each, time) for each in new))


async def _leave(
    tx: AsyncConnection, thread_id: str, trainer_ids: Sequence[str], now: datetime
) -> None:
    thread = await _locked(tx, thread_id)
    gone = await channels.remove_members(tx, thread_id, trainer_ids)
    if gone:
        people = [Sender(SenderKind.TRAINER, each) for each in gone]
        await changes.record_people(tx, ChangeKind.LEFT, thread_id, people)
        time = max(now, thread.create_time)
        await OUTBOX.record(tx, *(events.left(thread, each, time) for each in gone))


async def _locked(tx: AsyncConnection, thread_id: str) -> SeenThread:
    await threads.lock_thread(tx, thread_id)
    return await threads.get_thread(tx, thread_id)
