"""Writes the event catalogue, `docs/events.md`, from the protos and their comments."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from hireflow.common.v1.event_options_pb2 import event

_PREFACE = """\
# The events

Made from the protos by `make protos`; `make check` compares.

Every event is a CloudEvents 1.0 message in binary mode on the NATS JetStream stream `HIREFLOW`. The
subject is the type; the data is the protobuf message; every attribute is a header:

| header | what it says |
|---|---|
| `ce-id`, `Nats-Msg-Id` | the event's id; a repeat of the event has the same |
| `ce-type` | the type, which is the subject too |
| `ce-source` | the service, as `/hireflow/<schema>` |
| `ce-subject` | the id of the aggregate |
| `ce-aggregatetype` | what kind of thing the event is about |
| `ce-aggregateversion` | the event's place in that aggregate's order: 1, 2, 3, … without a gap |
| `ce-time` | when it happened, RFC 3339, UTC |
| `ce-dataschema` | the full name of the protobuf message |
| `ce-traceparent`, `traceparent` | the trace of whoever caused it, as W3C writes it |

An event leaves if, and only if, the transaction that caused it committed. It may come more than
once, and events of one aggregate may overtake each other on the way: a consumer applies the
versions of an aggregate in order and each once. Between aggregates nothing is promised. Events
carry ids, numbers and states; never names, messages or other text of people.
"""

_NOT_YET = "*Not emitted yet.* "


@dataclass(frozen=True)
class _Message:
    """A message of a proto file with its comments."""

    package: str
    name: str
    comment: str
    fields: tuple[tuple[str, str, str], ...]
    type: str = ""
    aggregate: str = ""


def write_catalogue(image: Path, target: Path) -> None:
    """Write the catalogue of the events in a descriptor set with comments."""
    messages = list(_messages(image))
    parts = [_PREFACE]
    for package, group in groupby(messages, key=lambda message: message.package):
        of_package = list(group)
        events = [message for message in of_package if message.type]
        if not events:
            continue
        parts.append(f"## {package.split('.')[1].capitalize()}\n")
        parts.append("| event | of | when |\n|---|---|---|")
        parts.extend(
            f"| [`{event.type}`](#{event.name.lower()}) | {event.aggregate} | {event.comment} |"
            for event in events
        )
        parts.append("")
        named = {kind for event in events for _, kind, _ in event.fields}
        shared = [message for message in of_package if message.name in named]
        for message in [*shared, *events]:
            parts.append(f"### {message.name}\n")
            if message.type:
                parts.append(f"`{message.type}`\n")
            parts.append(f"{message.comment}\n")
            parts.append("| field | type | meaning |\n|---|---|---|")
            parts.extend(f"| `{name}` | {kind} | {told} |" for name, kind, told in message.fields)
            parts.append("")
    target.write_text("\n".join(parts).rstrip() + "\n")


def _messages(image: Path) -> Iterator[_Message]:
    files = FileDescriptorSet.FromString(image.read_bytes())
    for file in sorted(files.file, key=lambda each: (each.package, each.name)):
        if not file.name.endswith("_events.proto"):
            continue
        comments = {
            tuple(place.path): " ".join(place.leading_comments.split())
            for place in file.source_code_info.location
        }
        for index, message in enumerate(file.message_type):
            told = message.options.Extensions[event]  # empty where the message is no event
            yield _Message(
                package=file.package,
                name=message.name,
                comment=_NOT_YET * told.planned + comments.get((4, index), ""),
                fields=tuple(_fields(message, comments, index)),
                type=told.type,
                aggregate=told.aggregate,
            )


def _fields(
    message: DescriptorProto, comments: dict[tuple[int, ...], str], index: int
) -> Iterator[tuple[str, str, str]]:
    for place, field in enumerate(message.field):
        yield field.name, _kind(field), comments.get((4, index, 2, place), "")


def _kind(field: FieldDescriptorProto) -> str:
    kind = field.type_name.rpartition(".")[2] or (
        FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    )
    repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
    return f"repeated {kind}" if repeated else kind
