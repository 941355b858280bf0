"""What nobody is told before a hire: e-mail addresses, links, handles, phone numbers."""

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
# "jane at gmail dot com", "jane (at) gmail [dot] com": the dot spelled out, the ending known.
_AT, _DOT = r"(?:\s*[(\[{]\s*at\s*[)\]}]\s*|\sat\s)", r"(?:\s?[(\[{]\s?dot\s?[)\]}]\s?|\sdot\s)"
_SPELLED_OUT = re.compile(
    rf"(?<![\w.+-])[\w.+-]+{_AT}[\w-]+(?:{_DOT}[\w-]+)*{_DOT}(?:{_DOMAINS})\b", re.IGNORECASE
)
# A name with an at sign is a handle where the network is named beside it: "@everyone" is none.
_NETWORKS = "telegram|whatsapp|skype|discord|instagram|insta|twitter|wechat|snapchat|facebook"
_HANDLE = re.compile(
    rf"\b(?:{_NETWORKS})[\s:,-]{{0,3}}@[\w.]{{2,}}|(?<!\w)@\w[\w.]+ on (?:{_NETWORKS})\b",
    re.IGNORECASE,
)
_FEWEST_DIGITS, _FEWEST_AFTER_PLUS = 9, 7


def without_contact_details(text: str) -> str:
    """Put a mark in the place of every e-mail address, link, handle and phone number.

    Recognised by form alone. A long number may be taken for a phone number: that costs a question,
    while the other mistake gives away a person.
    """
    for form in (_EMAIL, _SPELLED_OUT, _HANDLE, _LINK, _BARE_LINK):
        text = form.sub(REMOVED, text)
    return _DIGITS.sub(_unless_number, text)


def _unless_number(found: re.Match[str]) -> str:
    written = found.group()
    digits = sum(character.isdigit() for character in _DATE.sub("", written))
    fewest = _FEWEST_AFTER_PLUS if written.startswith("+") else _FEWEST_DIGITS
    return REMOVED if digits >= fewest else written
