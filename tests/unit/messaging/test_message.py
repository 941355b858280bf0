"""The rules of messages: what their authors may do with them, and which files may come along."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.common.contact_details import REMOVED
from services.common.errors import InvalidInput, Problems, Refused
from services.messaging.domain import (
    ATTACHMENTS_LIMIT,
    Attachment,
    Content,
    Engagement,
    Message,
    MessageKind,
    Proposal,
    Sender,
    SenderKind,
    Thread,
    Version,
    check_content,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
AUTHOR = Sender(SenderKind.EMPLOYER, "e-1")
FILE = Attachment(
    name="guidelines.pdf",
    media_type="application/pdf",
    size_bytes=1024,
    sha256="0" * 64,
    address="https://files.example.com/guidelines.pdf",
)
MESSAGE = Message("m-1", "t-1", 1, MessageKind.TEXT, AUTHOR, "One", NOON, (FILE,))


def test_an_edit_changes_the_text_and_leaves_what_it_said_before() -> None:
    edited = MESSAGE.edit(AUTHOR, "Two", LATER)
    assert (edited.text, edited.attachments) == ("Two", (FILE,))
    assert (edited.edit_count, edited.edit_time) == (1, LATER)
    assert MESSAGE.version() == Version(1, "One", NOON)
    assert edited.version() == Version(2, "Two", LATER)


def test_an_edit_to_the_same_text_is_none() -> None:
    assert MESSAGE.edit(AUTHOR, "One", LATER) is MESSAGE


def test_a_deleted_message_keeps_all_but_what_it_said_and_is_final() -> None:
    deleted = MESSAGE.delete(AUTHOR, LATER)
    assert deleted == replace(MESSAGE, text="", attachments=(), delete_time=LATER)
    assert deleted.delete(AUTHOR, LATER + timedelta(minutes=5)) is deleted
    with pytest.raises(Refused) as refused:
        deleted.edit(AUTHOR, "Two", LATER)
    assert refused.value.reason == "MESSAGE_DELETED"


@pytest.mark.parametrize(
    "other", [Sender(SenderKind.EMPLOYER, "e-2"), Sender(SenderKind.TRAINER, "e-1")]
)
def test_nobody_but_its_author_changes_a_message(other: Sender) -> None:
    with pytest.raises(Refused) as edit:
        MESSAGE.edit(other, "Two", LATER)
    with pytest.raises(Refused) as delete:
        MESSAGE.delete(other, LATER)
    assert edit.value.reason == delete.value.reason == "MESSAGE_NOT_OWN"


def test_a_clock_that_is_behind_dates_no_edit_before_the_message() -> None:
    assert MESSAGE.edit(AUTHOR, "Two", NOON - timedelta(hours=1)).edit_time == NOON


def test_a_files_name_tells_no_contact_details_before_the_hire() -> None:
    thread = Thread.of_proposal("t-1", Proposal("p-1", "job-1", "org-1", "tr-1"), NOON)
    named = replace(FILE, name="ann@example.com")
    _, message = thread.write("m-1", AUTHOR, Content("", (named,)), NOON, {"files.example.com"})
    assert message.attachments == (replace(FILE, name=REMOVED),)


@pytest.mark.parametrize(
    "address",
    [
        "https://wa.me/4915112345678",
        "https://linkedin.com/in/ann",
        "https://ann@files.example.com/x",
        "https://files.example.com.ann.org/x",
        "https://files.example.com:8443/x",
    ],
)
def test_a_file_is_on_a_host_of_ours_before_the_hire_and_anywhere_after_it(address: str) -> None:
    parties = Proposal("p-1", "job-1", "org-1", "tr-1")
    files = (replace(FILE, address="https://FILES.example.com/x"), replace(FILE, address=address))
    before = Thread.of_proposal("t-1", parties, NOON)
    with pytest.raises(InvalidInput) as refused:
        before.write("m-1", AUTHOR, Content("", files), NOON, {"files.example.com"})
    assert [each.field for each in refused.value.violations] == ["attachments[1].address"]
    after = Thread.of_contract("t-2", Engagement(parties, "c-1"), NOON)
    assert after.write("m-2", AUTHOR, Content("", files), NOON)[1].attachments == files


@pytest.mark.parametrize(
    "content", [Content("Text"), Content("", (FILE,)), Content("Text", (FILE,) * ATTACHMENTS_LIMIT)]
)
def test_a_message_says_something_or_brings_something(content: Content) -> None:
    noted = Problems()
    check_content(content, noted)
    assert not noted.violations


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"media_type": "pdf"}, ["media_type"]),
        ({"media_type": "wa.me/4915112345678"}, ["media_type"]),
        ({"media_type": "application/pdf; charset=x"}, ["media_type"]),
        ({"size_bytes": -1}, ["size_bytes"]),
        ({"sha256": "F" * 64}, ["sha256"]),
        ({"sha256": "0" * 63}, ["sha256"]),
        ({"address": "http://files.example.com/x"}, ["address"]),
        ({"address": "https:///x"}, ["address"]),
        ({"address": "https://[x"}, ["address"]),
        ({"address": "https://e.com/" + "x" * 2048}, ["address"]),
        ({"name": "", "sha256": "", "address": ""}, ["name", "sha256", "address"]),
    ],
)
def test_every_fault_of_a_file_is_named(changes: dict[str, object], fields: list[str]) -> None:
    noted = Problems()
    check_content(Content("Text", (FILE, replace(FILE, **changes))), noted)  # type: ignore[arg-type] # fields of any type
    assert [each.field for each in noted.violations] == [
        f"attachments[1].{name}" for name in fields
    ]


def test_more_than_ten_files_and_neither_text_nor_file_are_refused() -> None:
    for content, field in (
        (Content("Text", (FILE,) * 11), "attachments"),
        (Content(""), "text"),
        (Content(" ", (FILE,)), "text"),
    ):
        noted = Problems()
        check_content(content, noted)
        assert [each.field for each in noted.violations] == [field]
