"""The protos, their committed stubs, the events they declare, and the reasons that errors carry."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor

from hireflow.common.v1.error_reason_pb2 import ErrorReason
from hireflow.common.v1.event_options_pb2 import event
from tests.unit.protos.reasons import reasons_told

ROOT = Path(__file__).parents[3]
PROTOS = ROOT / "protos"


def _events() -> list[Descriptor]:
    """Every top-level message of the event files that is told, not a part of others."""
    found = []
    for path in sorted((PROTOS / "hireflow").rglob("*_events.proto")):
        name = path.relative_to(PROTOS).with_suffix("").as_posix().replace("/", ".")
        messages = import_module(f"{name}_pb2").DESCRIPTOR.message_types_by_name.values()
        found += [each for each in messages if not each.name.endswith("Facts")]
    return found


EVENTS = _events()


def _check(protos: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(protos / "generate.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)  # noqa: S603 - our own script


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the protos that a test may spoil."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/events.md", tmp_path / "docs")
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PROTOS, tmp_path / "protos", ignore=ignored))


def test_the_protos_are_clean_unbroken_and_what_the_committed_stubs_say() -> None:
    checked = _check(PROTOS)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_removed_field_is_a_breaking_change(copied: Path) -> None:
    proto = copied / "hireflow/messaging/v1/thread_events.proto"
    field = r"  // [^\n]*\n  int64 sequence = 3;\n"
    text, removed = re.subn(field, "", proto.read_text(), count=1)
    assert removed == 1
    proto.write_text(text)
    checked = _check(copied)
    assert checked.returncode != 0
    assert 'Previously present field "3" with name "sequence"' in checked.stdout


def test_a_proto_without_its_stubs_and_its_place_in_the_catalogue_is_stale(copied: Path) -> None:
    proto = copied / "hireflow/messaging/v1/thread_events.proto"
    added = "  // How long it is.\n  int64 characters = 9;\n}\n"
    proto.write_text(proto.read_text().rstrip().removesuffix("}") + added)
    checked = _check(copied)
    assert checked.returncode == 1
    assert "stale" in checked.stderr
    assert "thread_events_pb2.py" in checked.stderr
    assert "events.md" in checked.stderr


def test_an_element_without_a_sentence_is_refused(copied: Path) -> None:
    proto = copied / "hireflow/messaging/v1/thread_events.proto"
    proto.write_text(proto.read_text() + "\nmessage Untold {}\n")
    checked = _check(copied)
    assert checked.returncode != 0
    assert "Untold" in checked.stdout


@pytest.mark.parametrize("message", EVENTS, ids=lambda message: str(message.full_name))
def test_every_event_has_a_type_of_its_package_and_an_aggregate(message: Descriptor) -> None:
    options = message.GetOptions()
    assert options.HasExtension(event), "it lacks the option (hireflow.common.v1.event)"
    told = options.Extensions[event]
    noun_and_verb = re.escape(message.file.package) + r"\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*"
    assert re.fullmatch(noun_and_verb, told.type)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", told.aggregate)


def test_no_two_events_have_one_type() -> None:
    types = [message.GetOptions().Extensions[event].type for message in EVENTS]
    assert types
    assert sorted(types) == sorted(set(types))


def test_an_event_that_nothing_emits_yet_says_so_and_no_other_does() -> None:
    sources = [path for room in ("services", "workflows") for path in (ROOT / room).rglob("*.py")]
    words = {word for path in sources for word in re.findall(r"\w+", path.read_text())}
    planned = {each.name for each in EVENTS if each.GetOptions().Extensions[event].planned}
    assert planned == {each.name for each in EVENTS} - words


def test_every_reason_that_the_code_tells_is_one_of_the_protos() -> None:
    known = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 - the enum's wrapper is no mapping
    told = reasons_told(ROOT / "services") + reasons_told(ROOT / "workflows")
    unknown = [
        f"{each.reason} in {each.path}:{each.line}" for each in told if each.reason not in known
    ]
    assert not unknown, "\n".join(unknown)
    # The search itself finds what it should: directly, through a keyword, through a name.
    assert {"WRONG_STATE", "REQUEST_ID_REUSED", "CONTRACT_CANCELLED"} <= {
        each.reason for each in told
    }
