"""What is recognised as contact details, and what is left alone."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.common.contact_details import REMOVED, without_contact_details

TEXT_LIMIT = 20_000  # the longest text that any room takes


@pytest.mark.parametrize(
    "detail",
    [
        "ann@example.com",
        "Ann.Lee+work@mail.example.co",
        "ann @ example.com",
        "mailto:ann@example.com",
        "https://example.com/ann?x=1#top",
        "HTTP://EXAMPLE.COM",
        "www.example.com/cv.pdf",
        "linkedin.com/in/ann-lee",
        "t.me/annlee",
        "ann at gmail dot com",
        "Ann.Lee (at) mail [dot] example (dot) org",
        "telegram: @annlee",
        "@ann.lee on Telegram",
        "+49 30 1234567",
        "+1 (555) 010-9999",
        "(555) 010-9999",
        "555.010.9999",
        "0301234567",
        "5 5 5 0 1 0 9 9 9 9",
    ],
)
def test_an_address_a_link_or_a_number_is_replaced(detail: str) -> None:
    assert without_contact_details(f"Reach me: {detail} today") == f"Reach me: {REMOVED} today"


@pytest.mark.parametrize(
    "text",
    [
        "I can start on 2026-11-23, at 12:30, or on 23.11.2026.",
        "From 2026-11-23 to 2026-12-24, 20 hours a week.",
        "I labelled 1,250,000 images in 2025/2026 for $45,000.00.",
        "See main.py, e.g. the end.Next step: 3 / 4 / 5.",
        "Version 1.2.3, precision 0.98765, case 12345678.",
        "I work at home, at one dot per label; telegram and discord are fine, @everyone.",
        "**Bold**, `code`, [a](b), @everyone",
    ],
)
def test_dates_amounts_and_names_of_files_stay(text: str) -> None:
    assert without_contact_details(text) == text


def test_markdown_around_a_link_stays_markdown() -> None:
    text = "My [work](https://example.com/a_(b)) and <http://example.com>."
    assert without_contact_details(text) == f"My [work]({REMOVED}(b)) and <{REMOVED}>."


def test_several_details_are_each_replaced() -> None:
    text = "ann@example.com or +49 30 1234567 or example.com"
    assert without_contact_details(text) == f"{REMOVED} or {REMOVED} or {REMOVED}"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="@.")))
def test_words_without_digits_dots_and_at_signs_stay_as_they_are(text: str) -> None:
    assume("://" not in text)
    assert without_contact_details(text) == text


@pytest.mark.parametrize(
    "piece", ["a", "-", ".", "1", "1 ", "a@", "a.", "(", "+", "www.", "a-.", "a at ", " dot "]
)
def test_the_longest_text_is_cleaned_in_no_time(piece: str) -> None:
    text = (piece * TEXT_LIMIT)[: TEXT_LIMIT - 1] + "!"
    start = time.process_time()
    without_contact_details(text)
    # Quadratic work would take seconds; this is far from both.
    assert time.process_time() - start < 0.5
