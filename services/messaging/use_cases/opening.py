"""How threads begin. A unique key decides between two who open the same one at once."""

from datetime import datetime

from services.common.database import Database
from services.common.errors import NotFound
from services.common.idempotency import Request, Requests
from services.common.outbox import Outbox
from services.messaging import events
from services.messaging.domain import ChangeKind, Engagement, SeenThread, Thread
from services.messaging.store import changes, messages, threads
from services.messaging.use_cases.access import HireWorkflow, Member, sender_of

OUTBOX = Outbox("messaging")
REQUESTS = Requests("messaging")


async def open_proposal_thread(
    database: Database,
    member: Member,
    request: Request,
    *,
    proposal_id: str,
    thread_id: str,
    now: datetime,
) -> SeenThread:
    """Open the thread of a proposal, or answer with the one that is open.

    Raises NotFound when the proposal is another organisation's, or unknown, also because its
    events have not arrived yet: the same call may be repeated.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, member.principal, request, SeenThread)
        if repeat is not None:
            return repeat
        proposal = await threads.find_proposal(tx, proposal_id)
        if proposal is None or proposal.organisation_id != member.organisation_id:
            raise NotFound("proposal", proposal_id)
        opened = Thread.of_proposal(thread_id, proposal, now)
        thread = await threads.claim_thread(tx, opened)
        if thread is opened:
            await OUTBOX.record(tx, events.created(opened))
        seen = await threads.get_thread(tx, thread.thread_id, sender_of(member.principal))
        await REQUESTS.answer(tx, member.principal, request, seen)
        return seen


async def open_job_thread(
    database: Database,
    caller: HireWorkflow,
    request: Request,
    engagement: Engagement,
    *,
    thread_id: str,
    message_id: str,
    now: datetime,
) -> Thread:
    """Open the job thread of a contract with its first system message.

    The same thread under a new request is answered as it is. Raises Refused THREAD_EXISTS when the
    contract has a thread under another id, or the id is another thread's.
    """
    async with database.begin() as tx:
        repeat = await REQUESTS.claim(tx, caller, request, Thread)
        if repeat is not None:
            return repeat
        empty = Thread.of_contract(thread_id, engagement, now)
        opened, welcome = empty.welcome(message_id, sender_of(caller), now)
        thread = await threads.claim_thread(tx, opened)
        if thread is opened:
            await messages.insert_message(tx, welcome)
            await changes.record(tx, ChangeKind.SENT, thread_id, welcome.sequence)
            await OUTBOX.record(tx, events.created(opened), events.sent(welcome))
        else:
            thread.require_same(opened)
        await REQUESTS.answer(tx, caller, request, thread)
        return thread
