"""One question to many candidates."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.messaging import events
from services.messaging.domain import Content, Message, SeenThread, Thread
from services.messaging.store import messages, threads
from services.messaging.use_cases.access import Member, sender_of
from services.messaging.use_cases.writing import Written, save_message

OUTBOX = Outbox("messaging")
REQUESTS = Requests("messaging")
CANDIDATES_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask in one proposal's thread, and the ids to use if it is new."""

    proposal_id: str
    thread_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the message stands in each proposal's thread; proposals without one are left out."""

    written: dict[str, Written]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question: its message in its thread, or why there is none."""

    proposal_id: str
    outcome: tuple[SeenThread, Message] | NotFound


async def ask_candidates(
    database: Database,
    member: Member,
    request: Request,
    questions: Sequence[Question],
    content: Content,
    *,
    file_hosts: Collection[str],
    now: datetime,
) -> list[Asked]:
    """Write one message in the threads of many proposals, opening those that are not open.

    One transaction: whoever is asked is told in the answer, also to a repeat, which shows threads
    and messages as they stand then. A proposal that is unknown, or another organisation's, has
    NotFound for its result. Raises InvalidInput when a file is not on one of `file_hosts`.
    """
    async with database.begin() as tx:
        answer = await REQUESTS.claim(tx, member.principal, request, Answer)
        if answer is None:
            written = await _ask(tx, member, questions, content, file_hosts=file_hosts, now=now)
            answer = Answer(written)
            await REQUESTS.answer(tx, member.principal, request, answer)
        return await _asked(tx, member, questions, answer.written)


async def _ask(
    tx: AsyncConnection,
    member: Member,
    questions: Sequence[Question],
    content: Content,
    *,
    file_hosts: Collection[str],
    now: datetime,
) -> dict[str, Written]:
    known = await threads.find_proposals(tx, [each.proposal_id for each in questions])
    written: dict[str, Written] = {}
    sender = sender_of(member.principal)
    # In one order, so that two who ask the same candidates wait for each other only in line.
    for each in sorted(questions, key=lambda question: question.proposal_id):
        proposal = known.get(each.proposal_id)
        if proposal is not None and proposal.organisation_id == member.organisation_id:
            opened = await _open(tx, Thread.of_proposal(each.thread_id, proposal, now))
            thread, message = opened.write(each.message_id, sender, content, now, file_hosts)
            await save_message(tx, thread, message)
            written[each.proposal_id] = Written(message.thread_id, message.sequence)
    return written


async def _open(tx: AsyncConnection, wanted: Thread) -> Thread:
    thread = await threads.claim_thread(tx, wanted)
    if thread is wanted:
        await OUTBOX.record(tx, events.created(wanted))
        return wanted
    # What was claimed by another is not locked yet, and may have grown.
    await threads.lock_thread(tx, thread.thread_id)
    return await threads.get_thread(tx, thread.thread_id)


async def _asked(
    tx: AsyncConnection,
    member: Member,
    questions: Sequence[Question],
    written: dict[str, Written],
) -> list[Asked]:
    places = [(place.thread_id, place.sequence) for place in written.values()]
    ids = [place.thread_id for place in written.values()]
    opened = await threads.get_threads(tx, ids, sender_of(member.principal))
    sent = await messages.get_messages(tx, places)

    def of(proposal_id: str) -> Asked:
        place = written.get(proposal_id)
        if place is None:
            return Asked(proposal_id, NotFound("proposal", proposal_id))
        return Asked(proposal_id, (opened[place.thread_id], sent[place.thread_id]))

    return [of(each.proposal_id) for each in questions]
