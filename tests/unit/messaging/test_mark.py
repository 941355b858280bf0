"""What is unread, whoever writes and reads in which order."""

from itertools import product

import pytest

from services.messaging.domain import ReadMark


def test_nothing_is_read_at_first() -> None:
    assert ReadMark().unread(7) == 7


def test_an_own_message_counts_as_read_and_not_what_came_before_it() -> None:
    assert ReadMark().wrote(1) == ReadMark(1)
    unread_before = ReadMark(2).wrote(4)
    assert unread_before == ReadMark(2, own_after=1)
    assert unread_before.unread(4) == 1
    assert unread_before.wrote(5).unread(5) == 1


def test_what_was_read_after_own_messages_is_counted_once() -> None:
    behind = ReadMark(1).wrote(3).wrote(5)
    assert behind.read(4, own=1) == ReadMark(4, own_after=1)
    assert behind.read(4, own=1).unread(6) == 1


@pytest.mark.parametrize("own", list(product([False, True], repeat=5)))
def test_unread_is_what_others_wrote_since_the_reader_read(own: tuple[bool, ...]) -> None:
    mark = ReadMark()
    for sequence, mine in enumerate(own, start=1):
        mark = mark.wrote(sequence) if mine else mark
        assert mark.unread(sequence) == own[:sequence].count(False)
