"""The rules of threads: who writes when, and what a repeat must match."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.common.contact_details import REMOVED
from services.common.errors import Problems, Refused
from services.messaging.domain import (
    TEXT_LIMIT,
    WELCOME,
    Content,
    Engagement,
    MessageKind,
    Proposal,
    Sender,
    SenderKind,
    Thread,
    ThreadKind,
    check_text,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
PROPOSAL = Proposal("p-1", "job-1", "org-1", "trainer-1")
ENGAGEMENT = Engagement(PROPOSAL, "c-1")
EMPLOYER = Sender(SenderKind.EMPLOYER, "e-1")
AGENT = Sender(SenderKind.AGENT, "a-1")
TRAINER = Sender(SenderKind.TRAINER, "trainer-1")
WORKFLOW = Sender(SenderKind.SERVICE, "service:hiring")


def _channel() -> Thread:
    return replace(Thread.of_proposal("t-3", PROPOSAL, NOON), kind=ThreadKind.CHANNEL)


THREADS = {
    ThreadKind.PROPOSAL: Thread.of_proposal("t-1", PROPOSAL, NOON),
    ThreadKind.JOB: Thread.of_contract("t-2", ENGAGEMENT, NOON),
    ThreadKind.CHANNEL: _channel(),
}


def test_a_proposal_thread_begins_empty_between_organisation_and_trainer() -> None:
    thread = THREADS[ThreadKind.PROPOSAL]
    assert (thread.kind, thread.proposal_id, thread.contract_id) == ("PROPOSAL", "p-1", "")
    assert (thread.organisation_id, thread.trainer_ids) == ("org-1", ("trainer-1",))
    assert (thread.message_count, thread.last_message_time) == (0, NOON)


def test_a_job_thread_begins_with_a_system_message_that_is_the_same_for_all() -> None:
    thread, message = THREADS[ThreadKind.JOB].welcome("m-1", WORKFLOW, NOON)
    assert (thread.kind, thread.contract_id, thread.message_count) == ("JOB", "c-1", 1)
    assert (message.kind, message.sequence) == (MessageKind.SYSTEM, 1)
    assert (message.sender, message.text) == (WORKFLOW, WELCOME)


@pytest.mark.parametrize("kind", ThreadKind)
@pytest.mark.parametrize("sender", [EMPLOYER, AGENT, TRAINER])
def test_only_a_trainer_may_not_begin_and_only_in_a_proposal_thread(
    kind: ThreadKind, sender: Sender
) -> None:
    thread = THREADS[kind]
    if kind is ThreadKind.PROPOSAL and sender is TRAINER:
        with pytest.raises(Refused) as refused:
            thread.write("m-1", sender, Content("Hello?"), LATER)
        assert refused.value.reason == "EMPLOYER_WRITES_FIRST"
        return
    after, message = thread.write("m-1", sender, Content("Hello!"), LATER)
    assert (message.kind, message.sender, message.text) == (MessageKind.TEXT, sender, "Hello!")
    assert (after.message_count, after.last_message_time) == (1, LATER)


@pytest.mark.parametrize("first", [EMPLOYER, AGENT])
def test_a_trainer_answers_in_a_proposal_thread(first: Sender) -> None:
    thread, _ = THREADS[ThreadKind.PROPOSAL].write(
        "m-1", first, Content("When can you start?"), NOON
    )
    thread, answer = thread.write("m-2", TRAINER, Content("Tomorrow."), LATER)
    assert (answer.sequence, thread.message_count) == (2, 2)


def test_contact_details_are_removed_before_the_hire_and_kept_after_it() -> None:
    text = "Write to ann@example.com"
    _, before = THREADS[ThreadKind.PROPOSAL].write("m-1", EMPLOYER, Content(text), NOON)
    _, after = THREADS[ThreadKind.JOB].write("m-2", EMPLOYER, Content(text), NOON)
    assert (before.text, after.text) == (f"Write to {REMOVED}", text)


def test_a_clock_that_is_behind_dates_no_answer_before_its_question() -> None:
    thread, _ = THREADS[ThreadKind.JOB].write("m-1", EMPLOYER, Content("One"), LATER)
    thread, message = thread.write("m-2", TRAINER, Content("Two"), NOON)
    assert message.create_time == thread.last_message_time == LATER


def test_a_thread_is_the_same_however_much_was_written_in_it() -> None:
    wanted = THREADS[ThreadKind.JOB]
    written, _ = wanted.write("m-1", EMPLOYER, Content("One"), LATER)
    written.require_same(Thread.of_contract("t-2", ENGAGEMENT, LATER))


@pytest.mark.parametrize(
    "wanted",
    [
        Thread.of_contract("t-9", ENGAGEMENT, NOON),
        Thread.of_contract("t-2", Engagement(PROPOSAL, "c-9"), NOON),
        *(
            Thread.of_contract("t-2", Engagement(replace(PROPOSAL, **{field: "x"}), "c-1"), NOON)
            for field in ("proposal_id", "job_id", "organisation_id", "trainer_id")
        ),
    ],
)
def test_another_id_or_another_engagement_is_another_thread(wanted: Thread) -> None:
    with pytest.raises(Refused) as refused:
        THREADS[ThreadKind.JOB].require_same(wanted)
    assert refused.value.reason == "THREAD_EXISTS"


@pytest.mark.parametrize("text", ["x", "x" * TEXT_LIMIT, "# Title\n\n\t- point\r\n", "日本語 🎈"])
def test_a_text_of_any_script_with_line_breaks_is_sent(text: str) -> None:
    noted = Problems()
    check_text(text, noted)
    assert not noted.violations


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * (TEXT_LIMIT + 1), "a\x00b", "\x1b[31m"])
def test_a_text_that_is_blank_too_long_or_unprintable_is_named(text: str) -> None:
    noted = Problems()
    check_text(text, noted)
    assert {each.field for each in noted.violations} == {"text"}
