"""A file that comes with a message: what it is and where it is kept, never its bytes."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.common.errors import Problems

ATTACHMENTS_LIMIT = 10
_NAME_LIMIT, _ADDRESS_LIMIT = 255, 2048
# The registered types of files, and RFC 6838, section 4.2: names of subtypes.
_TYPES = "application|audio|font|image|model|text|video"
_MEDIA_TYPE = re.compile(rf"(?:{_TYPES})/[a-z0-9][a-z0-9!#$&^_.+-]{{0,126}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file by reference. `sha256` is 64 hexadecimal digits, `address` an https URL."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    address: str


def check_attachments(attachments: Sequence[Attachment], noted: Problems) -> None:
    """Note everything that is wrong with the files that somebody wants to send."""
    few = len(attachments) <= ATTACHMENTS_LIMIT
    if not noted.require(few, "attachments", f"must be at most {ATTACHMENTS_LIMIT}"):
        return
    for place, each in enumerate(attachments):
        of = f"attachments[{place}]"
        named = 0 < len(each.name) <= _NAME_LIMIT and each.name.isprintable()
        noted.require(named, f"{of}.name", f"must have 1 to {_NAME_LIMIT} printable characters")
        typed = _MEDIA_TYPE.fullmatch(each.media_type)
        noted.require(typed, f"{of}.media_type", "must be a media type such as application/pdf")
        noted.require(each.size_bytes >= 0, f"{of}.size_bytes", "must not be negative")
        summed = _SHA256.fullmatch(each.sha256)
        noted.require(summed, f"{of}.sha256", "must be 64 hexadecimal digits in lower case")
        told = f"must be an https address of at most {_ADDRESS_LIMIT:,} characters"
        noted.require(_is_address(each.address), f"{of}.address", told)


def check_kept(
    attachments: Sequence[Attachment], file_hosts: Collection[str], noted: Problems
) -> None:
    """Note files that are kept anywhere but on our own hosts; bad addresses are noted elsewhere.

    The whole authority is compared: a user's name before the host would say anything, too.
    """
    for place, each in enumerate(attachments):
        elsewhere = _is_address(each.address) and (
            urlsplit(each.address).netloc.lower() not in file_hosts
        )
        told = "must be in one of Hireflow's own file stores before a hire"
        noted.require(not elsewhere, f"attachments[{place}].address", told)


def _is_address(address: str) -> bool:
    if len(address) > _ADDRESS_LIMIT or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:  # brackets that are no IPv6 address
        return False
