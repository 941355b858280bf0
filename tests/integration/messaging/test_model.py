"""Random calls by several people, against the service and against a simple model of it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc.aio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hireflow.common.v1.error_reason_pb2 import ErrorReason
from hireflow.messaging.v1 import thread_pb2
from services.common.auth import Kind
from services.common.contact_details import REMOVED
from services.common.remote_errors import error_of
from tests.integration.messaging.world import Metadata, Parties, World, new_id
from tests.refusals import reason

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
PEOPLE = ("ann", "amy", "bob", "tom", "tim", "operator")
ORGANISATIONS = {"ann": "A", "amy": "A", "bob": "B"}
PROPOSALS = (("A", "tom"), ("A", "tim"), ("B", "tom"))  # whose they are
JOB = len(PROPOSALS)  # the place of the job thread of the first proposal
TEXTS = ("Hello", "Write to ann@example.com", "", "\x00")


@dataclass(frozen=True)
class Call:
    """One call: what, by whom, in which thread, about which message, saying what."""

    what: str
    caller: str
    place: int
    sequence: int
    text: str
    again: bool  # once more under the same request_id


CALLS = st.builds(
    Call,
    what=st.sampled_from(("open", "send", "send", "send", "edit", "delete", "read", "ask")),
    caller=st.sampled_from(PEOPLE),
    place=st.integers(0, JOB),
    sequence=st.integers(-1, 4),
    text=st.sampled_from(TEXTS),
    again=st.booleans(),
)


@dataclass
class Said:
    """A message of the model."""

    author: str
    text: str
    edits: int = 0
    deleted: bool = False


@dataclass
class Thread:
    """A thread of the model; `read` has the messages that each person has read or written."""

    tick: int
    said: list[Said] = field(default_factory=list)
    read: dict[str, set[int]] = field(default_factory=dict)

    def unread(self, person: str) -> int:
        return 0 if person == "operator" else len(self.said) - len(self.read.get(person, set()))


class Model:
    """What the service ought to do, in memory."""

    def __init__(self) -> None:
        self.tick = 0
        self.threads = {JOB: Thread(0, [Said("workflow", "welcome")])}

    def sees(self, person: str, place: int) -> bool:
        organisation, trainer = PROPOSALS[place % JOB]
        inside = ORGANISATIONS.get(person) == organisation or person in (trainer, "operator")
        return place in self.threads and inside

    def apply(self, call: Call) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        self.tick += 1
        people = ORGANISATIONS if call.what in ("open", "ask") else PEOPLE[:-1]
        if call.caller not in people:
            return "CALLER_NOT_ALLOWED"
        if self._is_malformed(call):
            return "INVALID_FIELDS"
        if call.what in ("open", "ask"):
            return self._open(call)
        if not self.sees(call.caller, call.place):
            return "NOT_FOUND"
        return getattr(self, f"_{call.what}")(call, self.threads[call.place])

    @staticmethod
    def _is_malformed(call: Call) -> bool:
        says = call.what in ("send", "edit", "ask")
        return (says and call.text in TEXTS[2:]) or (call.what == "read" and call.sequence < 1)

    def _open(self, call: Call) -> object:
        if call.place == JOB or PROPOSALS[call.place][0] != ORGANISATIONS[call.caller]:
            return "NOT_FOUND"
        thread = self.threads.setdefault(call.place, Thread(self.tick))
        return self._send(call, thread) if call.what == "ask" else thread.unread(call.caller)

    def _send(self, call: Call, thread: Thread) -> object:
        if call.place != JOB and not thread.said and call.caller not in ORGANISATIONS:
            return "EMPLOYER_WRITES_FIRST"
        thread.said.append(Said(call.caller, _told(call)))
        thread.read.setdefault(call.caller, set()).add(len(thread.said))
        thread.tick = self.tick
        return _seen(len(thread.said), thread.said[-1])

    def _edit(self, call: Call, thread: Thread) -> object:
        said = self._own(call, thread)
        if isinstance(said, str):
            return said
        if said.deleted:
            return "MESSAGE_DELETED"
        said.edits += said.text != _told(call)
        said.text = _told(call)
        return _seen(call.sequence, said)

    def _delete(self, call: Call, thread: Thread) -> object:
        said = self._own(call, thread)
        if isinstance(said, str):
            return said
        said.text, said.deleted = "", True
        return _seen(call.sequence, said)

    def _read(self, call: Call, thread: Thread) -> object:
        if call.sequence > len(thread.said):
            return "INVALID_FIELDS"
        thread.read.setdefault(call.caller, set()).update(range(1, call.sequence + 1))
        return thread.unread(call.caller)

    @staticmethod
    def _own(call: Call, thread: Thread) -> Said | str:
        if not 1 <= call.sequence <= len(thread.said):
            return "NOT_FOUND"
        said = thread.said[call.sequence - 1]
        return said if said.author == call.caller else "MESSAGE_NOT_OWN"


def _told(call: Call) -> str:
    return call.text if call.place == JOB else call.text.replace("ann@example.com", REMOVED)


def _seen(sequence: int, said: Said) -> object:
    return sequence, said.text, said.edits, said.deleted


def _shown(message: thread_pb2.Message) -> object:
    deleted = message.HasField("delete_time")
    return message.sequence, message.text, message.edit_count, deleted


class Real:
    """The same calls on the service, with people and proposals of their own."""

    def __init__(self, world: World, parties: list[Parties], callers: dict[str, Metadata]) -> None:
        self.world, self.parties, self.callers = world, parties, callers
        self.ids: dict[int, str] = {}

    @classmethod
    async def begin(cls, world: World) -> "Real":
        ids = {name: new_id(name) for name in (*PEOPLE, "A", "B")}
        parties = [await world.parties(ids[of], ids[trainer]) for of, trainer in PROPOSALS]
        kinds = dict.fromkeys(ORGANISATIONS, Kind.EMPLOYER) | {"operator": Kind.OPERATOR}
        callers = {
            name: world.by(
                kinds.get(name, Kind.TRAINER),
                ids[ORGANISATIONS[name]] if name in ORGANISATIONS else None,
                ids[name],
            )
            for name in PEOPLE
        }
        real = cls(world, parties, callers)
        real.ids[JOB] = (await world.open_job(parties[0].job_thread())).thread_id
        return real

    async def apply(self, call: Call, request_id: str) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        try:
            return await getattr(self, f"_{call.what}")(call, request_id)
        except grpc.aio.AioRpcError as error:
            return error_of(error).reason

    async def _open(self, call: Call, request_id: str) -> object:
        request = thread_pb2.OpenProposalThreadRequest(
            request_id=request_id, proposal_id=self._proposal(call.place)
        )
        by = self.callers[call.caller]
        thread = (await self.world.stub.OpenProposalThread(request, metadata=by)).thread
        self.ids[call.place] = thread.thread_id
        return thread.unread_count

    async def _ask(self, call: Call, request_id: str) -> object:
        request = thread_pb2.AskCandidatesRequest(
            request_id=request_id, proposal_ids=[self._proposal(call.place)], text=call.text
        )
        by = self.callers[call.caller]
        (result,) = (await self.world.stub.AskCandidates(request, metadata=by)).results
        if result.error_reason:
            return ErrorReason.Name(result.error_reason).removeprefix("ERROR_REASON_")
        self.ids[call.place] = result.thread.thread_id
        return _shown(result.message)

    async def _send(self, call: Call, request_id: str) -> object:
        by, thread_id = self.callers[call.caller], self._thread(call)
        return _shown(await self.world.send(by, thread_id, call.text, request_id))

    async def _edit(self, call: Call, request_id: str) -> object:
        request = thread_pb2.EditMessageRequest(
            request_id=request_id,
            thread_id=self._thread(call),
            message_id=await self._message(call),
            text=call.text,
        )
        by = self.callers[call.caller]
        return _shown((await self.world.stub.EditMessage(request, metadata=by)).message)

    async def _delete(self, call: Call, request_id: str) -> object:
        request = thread_pb2.DeleteMessageRequest(
            request_id=request_id,
            thread_id=self._thread(call),
            message_id=await self._message(call),
        )
        by = self.callers[call.caller]
        return _shown((await self.world.stub.DeleteMessage(request, metadata=by)).message)

    async def _read(self, call: Call, request_id: str) -> object:
        by = self.callers[call.caller]
        return await self.world.read(by, self._thread(call), call.sequence)

    def _proposal(self, place: int) -> str:
        return "unknown" if place == JOB else self.parties[place].proposal.proposal_id

    def _thread(self, call: Call) -> str:
        return self.ids.get(call.place, "unknown")

    async def _message(self, call: Call) -> str:
        """Give the id of the thread's message, or another where there is none."""
        if call.place not in self.ids:
            return "unknown"
        by = self.callers["operator"]
        page = await self.world.messages(by, self.ids[call.place])
        ids = {each.sequence: each.message_id for each in page.messages}
        return ids.get(call.sequence, "unknown")


async def _compare_reads(model: Model, real: Real) -> None:
    """Compare each person's list of threads, and what each sees in each thread."""
    for person in PEOPLE:
        by = real.callers[person]
        for place, thread_id in real.ids.items():
            if not model.sees(person, place):
                assert await reason(real.world.messages(by, thread_id)) == "NOT_FOUND"
                continue
            thread = model.threads[place]
            messages = list((await real.world.messages(by, thread_id)).messages)
            if place == JOB:
                messages = messages[:-1]  # all but the welcome, whose words are the service's
            said = list(enumerate(thread.said, start=1))[place == JOB :]
            assert [_shown(each) for each in messages] == [_seen(*each) for each in said[::-1]]
            assert (await real.world.get(by, thread_id)).unread_count == thread.unread(person)
        if person != "operator":
            listed = [each.thread_id for each in (await real.world.threads(by)).threads]
            mine = [place for place in model.threads if model.sees(person, place)]
            mine.sort(key=lambda place: model.threads[place].tick, reverse=True)
            assert listed == [real.ids[place] for place in mine]


async def _compare(world: World, calls: list[Call]) -> None:
    model, real = Model(), await Real.begin(world)
    for call in calls:
        request_id = new_id("r")
        expected = model.apply(call)
        assert await real.apply(call, request_id) == expected, call
        repeatable = not isinstance(expected, str) and call.what != "open"
        if call.again and repeatable:
            assert await real.apply(call, request_id) == expected, ("again", call)
    await _compare_reads(model, real)


@pytest.fixture
async def run(world: World) -> Run:
    """Run a coroutine on the loop of the session, where the service runs too."""
    return asyncio.get_running_loop().run_until_complete


def test_the_service_does_what_a_simple_model_of_it_does(world: World, run: Run) -> None:
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(calls=st.lists(CALLS, min_size=20, max_size=40))
    def compare(calls: list[Call]) -> None:
        run(_compare(world, calls))

    compare()
