"""MessagingService on the real parts: proposal threads, job threads, messages."""

import asyncio

import pytest

from deploy.local.journey import Caller, Journey, new_id
from hireflow.messaging.v1 import thread_pb2 as pb
from services.common.auth import Kind
from services.messaging import wiring
from services.messaging.store import tables
from tests.integration.conftest import Workspace
from tests.migrations_check import assert_migrated
from tests.refusals import reason, refusal


@pytest.fixture
def hires(workspace: Workspace) -> Caller:
    return workspace.by(Kind.SERVICE)


async def open_thread(journey: Journey) -> pb.Thread:
    request = pb.OpenProposalThreadRequest(request_id=new_id(), proposal_id=journey.proposal_id)
    return (
        await journey.employer.call_when_known(
            journey.services.messaging.OpenProposalThread, request
        )
    ).thread


async def send(journey: Journey, sender: Caller, thread_id: str, text: str = "Hello") -> pb.Message:
    request = pb.SendMessageRequest(request_id=new_id(), thread_id=thread_id, text=text)
    return (await sender.call(journey.services.messaging.SendMessage, request)).message


def job_thread(journey: Journey, organisation_id: str, **changes: str) -> pb.OpenJobThreadRequest:
    fields = {
        "request_id": new_id(),
        "thread_id": new_id(),
        "organisation_id": organisation_id,
        "job_id": journey.job.job_id,
        "proposal_id": journey.proposal_id,
        "contract_id": new_id(),
        "trainer_id": journey.trainer.id,
    }
    return pb.OpenJobThreadRequest(**{**fields, **changes})


async def test_the_migrated_schema_is_what_the_store_expects(workspace: Workspace) -> None:
    await assert_migrated(workspace.settings, wiring.SCHEMA, wiring.MIGRATIONS, tables.METADATA)


async def test_a_proposal_has_one_thread_however_often_it_is_opened(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    first = await open_thread(journey)
    opened = await asyncio.gather(*(open_thread(journey) for _ in range(20)))
    assert {thread.thread_id for thread in opened} == {first.thread_id}


async def test_the_employer_writes_first_and_then_the_trainer_may_answer(
    workspace: Workspace,
) -> None:
    journey = await workspace.submitted()
    thread = await open_thread(journey)
    early = send(journey, journey.trainer, thread.thread_id)
    assert await reason(early) == "EMPLOYER_WRITES_FIRST"
    asked = await send(journey, journey.employer, thread.thread_id, "Could you start?")
    answered = await send(journey, journey.trainer, thread.thread_id, "Yes.")
    assert (asked.sequence, answered.sequence) == (1, 2)
    listed = await journey.trainer.call(
        journey.services.messaging.ListMessages,
        pb.ListMessagesRequest(thread_id=thread.thread_id),
    )
    assert [message.text for message in listed.messages] == ["Yes.", "Could you start?"]


async def test_fifty_messages_at_once_are_numbered_without_a_gap(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    thread = await open_thread(journey)
    sent = await asyncio.gather(
        *(send(journey, journey.employer, thread.thread_id, str(n)) for n in range(50))
    )
    assert sorted(message.sequence for message in sent) == list(range(1, 51))


async def test_fifty_equal_sends_are_one_message_and_fifty_equal_answers(
    workspace: Workspace,
) -> None:
    journey = await workspace.submitted()
    thread = await open_thread(journey)
    request = pb.SendMessageRequest(request_id=new_id(), thread_id=thread.thread_id, text="Once.")
    answers = await asyncio.gather(
        *(journey.employer.call(journey.services.messaging.SendMessage, request) for _ in range(50))
    )
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    read = await journey.employer.call(
        journey.services.messaging.GetThread, pb.GetThreadRequest(thread_id=thread.thread_id)
    )
    assert read.thread.message_count == 1


async def test_a_job_thread_begins_with_a_system_message_and_is_opened_once(
    workspace: Workspace, hires: Caller
) -> None:
    organisation_id = f"org-{new_id()}"
    journey = await workspace.submitted(organisation_id)
    messaging = workspace.services.messaging
    request = job_thread(journey, organisation_id)
    opened = (await hires.call(messaging.OpenJobThread, request)).thread
    request.request_id = new_id()
    again = (await hires.call(messaging.OpenJobThread, request)).thread
    assert again == opened
    assert opened.message_count == 1
    other = job_thread(journey, organisation_id, contract_id=request.contract_id)
    assert await reason(hires.call(messaging.OpenJobThread, other)) == "THREAD_EXISTS"
    listed = await journey.trainer.call(
        messaging.ListMessages, pb.ListMessagesRequest(thread_id=opened.thread_id)
    )
    assert [message.kind for message in listed.messages] == [pb.MESSAGE_KIND_SYSTEM]


async def test_threads_are_listed_by_their_last_message_and_in_pages(
    workspace: Workspace, hires: Caller
) -> None:
    organisation_id = f"org-{new_id()}"
    journey = await workspace.submitted(organisation_id)
    messaging = workspace.services.messaging
    opened = [
        (await hires.call(messaging.OpenJobThread, job_thread(journey, organisation_id))).thread
        for _ in range(3)
    ]
    await send(journey, journey.employer, opened[0].thread_id)
    for caller in (journey.employer, journey.trainer):
        seen: list[str] = []
        token = ""
        while True:
            page = await caller.call(
                messaging.ListThreads, pb.ListThreadsRequest(page_size=2, page_token=token)
            )
            seen += [thread.thread_id for thread in page.threads]
            token = page.next_page_token
            if not token:
                break
        assert seen == [opened[0].thread_id, opened[2].thread_id, opened[1].thread_id]


async def test_who_is_not_in_a_thread_does_not_learn_of_it(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    thread = await open_thread(journey)
    messaging = workspace.services.messaging
    reading = pb.GetThreadRequest(thread_id=thread.thread_id)
    for stranger in (workspace.by(Kind.EMPLOYER, "org-else"), workspace.by(Kind.TRAINER)):
        assert await reason(stranger.call(messaging.GetThread, reading)) == "NOT_FOUND"
        assert await reason(send(journey, stranger, thread.thread_id)) == "NOT_FOUND"
    operator = workspace.by(Kind.OPERATOR)
    assert (await operator.call(messaging.GetThread, reading)).thread == thread
    assert await reason(send(journey, operator, thread.thread_id)) == "CALLER_NOT_ALLOWED"


async def test_a_blank_text_and_a_missing_id_are_named_at_once(workspace: Workspace) -> None:
    journey = await workspace.submitted()
    told = await refusal(
        journey.employer.call(
            workspace.services.messaging.SendMessage, pb.SendMessageRequest(text="  ")
        )
    )
    fields = {violation.field for violation in told.violations}
    assert fields == {"request_id", "thread_id", "text"}
