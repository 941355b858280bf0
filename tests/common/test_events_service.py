"""What an operator sees of events and does about them, over gRPC, on a running process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from hireflow.events.v1 import events_pb2
from services.common.auth import Kind, Principal
from services.common.bus import EVENTS
from services.common.settings import Settings
from tests.common.conftest import Child, database_url, nats_server
from tests.common.desk import CONSUMER, Desk, open_desk, own
from tests.common.events import NOW, UPDATED, heard, record, until_heard
from tests.refusals import refusal
from tests.waiting import until


@pytest.fixture(scope="module")
async def desk(
    postgres: Child,
    settings: Settings,
    token: Callable[[Principal], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Desk]:
    async with nats_server(tmp_path_factory.mktemp("desk-nats")) as nats:
        nats_url = f"nats://127.0.0.1:{nats.port}"
        made = own(settings, await database_url(postgres), nats_url)
        async with open_desk(made, token) as desk:
            yield desk


async def test_a_poisoned_aggregate_waits_alone_until_it_is_replayed_in_order(desk: Desk) -> None:
    desk.hearing.poison = {("a-p", 2)}
    await record(desk.database, *(f"a-{name}" for name in "ppqpqp"))
    await until_heard(desk.database, "a-", [("p", 1), ("q", 1), ("q", 2)])
    [letter] = await desk.until_dead(1)
    assert (letter.consumer, letter.event_type) == (CONSUMER, UPDATED)
    assert (letter.aggregate_type, letter.aggregate_id, letter.version) == ("job", "a-p", 2)
    assert (letter.tries, letter.reason) == (3, "ValueError")
    assert letter.event_time.ToDatetime(UTC) == NOW
    assert letter.since.ToDatetime(UTC) > NOW

    async def both_wait() -> bool:
        return (await desk.dead_letters())[0].waiting == 2

    await until(both_wait)
    await record(desk.database, "a-q")
    await until_heard(desk.database, "a-", [("p", 1), ("q", 1), ("q", 2), ("q", 3)])

    assert await desk.replay(str(uuid4())) == 0
    assert await desk.replay(letter.event_id) == 1  # not mended: it is a dead letter again

    async def failed_again() -> bool:
        found = await desk.dead_letters()
        return [each.event_id for each in found] == [letter.event_id] and found[0].since != (
            letter.since
        )

    await until(failed_again)
    desk.hearing.poison.clear()
    assert await desk.replay(letter.event_id) == 1
    every = [("p", version) for version in range(1, 5)]
    await until_heard(desk.database, "a-", [*every, ("q", 1), ("q", 2), ("q", 3)])
    told = [each for each in await heard(desk.database, "a-") if each[0] == "p"]
    assert told == every
    assert await desk.dead_letters() == []


async def test_all_dead_letters_of_a_consumer_are_listed_by_pages_and_replayed_at_once(
    desk: Desk,
) -> None:
    desk.hearing.poison = {(f"b-{number}", 1) for number in range(7)}
    await record(desk.database, *(f"b-{number}" for number in range(7)))
    letters = await desk.until_dead(7)
    assert [each.event_id for each in letters] == sorted(each.event_id for each in letters)
    assert await desk.dead_letters(page_size=3) == letters
    desk.hearing.poison.clear()
    request_id = uuid4().hex
    assert await desk.replay(request_id=request_id) == 7
    await until_heard(desk.database, "b-", [(str(number), 1) for number in range(7)])
    assert await desk.replay(request_id=request_id) == 7  # the first answer
    assert await desk.replay() == 0


async def test_a_stream_that_lost_events_gets_them_back_and_nothing_happens_twice(
    desk: Desk,
) -> None:
    await record(desk.database, *(f"c-{name}" for name in "xyxz"))
    every = [("x", 1), ("x", 2), ("y", 1), ("z", 1)]
    await until_heard(desk.database, "c-", every)
    before = await desk.stored()
    jetstream = await desk.bus.jetstream()
    await jetstream.purge_stream(EVENTS)
    assert await desk.stored() == []
    answer = await desk.republish()
    assert (answer.first_position, answer.last_position) == (1, len(before))
    assert answer.first_time.ToDatetime(UTC) == NOW

    async def is_back() -> bool:
        return sorted(await desk.stored()) == sorted(before)

    await until(is_back)
    await record(desk.database, "c-x")
    await until_heard(desk.database, "c-", [*every, ("x", 3)])
    nothing = await desk.republish(after_position=10_000)
    assert (nothing.first_position, nothing.HasField("first_time")) == (0, False)


async def test_nobody_but_an_operator_may(desk: Desk, token: Callable[[Principal], str]) -> None:
    asked: dict[Callable[..., Awaitable[object]], Message] = {
        desk.stub.ListDeadLetters: events_pb2.ListDeadLettersRequest(),
        desk.stub.ReplayDeadLetters: events_pb2.ReplayDeadLettersRequest(),
        desk.stub.RepublishEvents: events_pb2.RepublishEventsRequest(),
        desk.stub.RebuildReadModel: events_pb2.RebuildReadModelRequest(),
    }
    for kind in set(Kind) - {Kind.OPERATOR}:
        metadata = (("authorization", f"Bearer {token(Principal(kind, 'eve', 'org-eve'))}"),)
        for method, request in asked.items():
            told = await refusal(method(request, metadata=metadata))
            assert told.reason == "CALLER_NOT_ALLOWED"


async def test_bad_input_names_every_problem_and_what_there_is(desk: Desk) -> None:
    unknown = events_pb2.ReplayDeadLettersRequest(consumer="nobody", reason="two words")
    told = await refusal(desk.stub.ReplayDeadLetters(unknown, metadata=desk.metadata))
    assert [each.field for each in told.violations] == ["request_id", "consumer", "reason"]
    assert CONSUMER in told.message
    elsewhere = events_pb2.RepublishEventsRequest(schema="jobs", after_position=-1)
    told = await refusal(desk.stub.RepublishEvents(elsewhere, metadata=desk.metadata))
    fields = ["request_id", "schema", "after_position", "reason"]
    assert [each.field for each in told.violations] == fields
    rebuilt = events_pb2.RebuildReadModelRequest(consumer="nobody")
    told = await refusal(desk.stub.RebuildReadModel(rebuilt, metadata=desk.metadata))
    assert [each.field for each in told.violations] == ["request_id", "consumer", "reason"]
    assert CONSUMER in told.message
    listed = events_pb2.ListDeadLettersRequest(consumer="nobody", page_size=-1, page_token="x")
    told = await refusal(desk.stub.ListDeadLetters(listed, metadata=desk.metadata))
    assert [each.field for each in told.violations] == ["consumer", "page_size", "page_token"]
