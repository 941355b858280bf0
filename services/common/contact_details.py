"""What nobody is told before a hire: e-mail addresses, links, phone numbers."""

import re

REMOVED = "[contact details removed]"

# The look behind lets each form begin only where a word does: it keeps the search linear, whatever
# somebody sends.
_EMAIL = re.compile(r"(?<![\w.+-])(?:mailto:)?[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
# Brackets end a link, so that what is left of one in Markdown is still Markdown.
_REST = r"[^\s<>()\[\]]"
_LINK = re.compile(rf"(?:https?://|www\.){_REST}+", re.IGNORECASE)
# Without a scheme only names under domains that people have: "file.py" and "end.Next" are no links.
_DOMAINS = "com|net|org|io|ai|me|co|app|dev|info|biz|eu|de|uk|us|in|br|fr|es|it|pl|ru|ly|gg"
_BARE_LINK = re.compile(
    rf"(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})\b(?:/{_REST}*)?", re.IGNORECASE
)
_DIGITS = re.compile(r"(?:\+|(?<!\w))\(?\d(?:[ \t().\-/]{0,3}\d)*(?!\w)")
_DATE = re.compile(r"\b(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4})\b")
_FEWEST_DIGITS, _FEWEST_AFTER_PLUS = 9, 7


def without_contact_details(text: str) -> str:
    """Put a mark in the place of every e-mail address, link and phone number.

    Recognised by form alone. A long number may be taken for a phone number: that costs a question,
    while the other mistake gives away a person.
    """
    for form in (_EMAIL, _LINK, _BARE_LINK):
        text = form.sub(REMOVED, text)
    return _DIGITS.sub(_unless_number, text)


def _unless_number(found: re.Match[str]) -> str:
    written = found.group()
    digits = sum(character.isdigit() for character in _DATE.sub("", written))
    fewest = _FEWEST_AFTER_PLUS if written.startswith("+") else _FEWEST_DIGITS
    return REMOVED if digits >= fewest else written
