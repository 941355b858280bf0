"""Jobs as the proto writes them: to and from the domain, and the fields that a mask may name."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from hireflow.jobs.v1 import job_pb2
from services.common.errors import Problems
from services.jobs.domain import (
    FieldType,
    Job,
    Pay,
    PayKind,
    Posting,
    ScreeningField,
    ScreeningPlan,
    Settings,
    State,
    Visibility,
)

_GROUPS = {
    "pay": ("kind", "minimum_minor_units", "maximum_minor_units", "currency_code"),
    "settings": ("visibility", "finish_when_filled", "add_hires_to_channels"),
    "screening_plan": ("prompt", "fields"),
}
_LEAVES = (
    "title",
    "description",
    "category",
    "required_languages",
    "required_skills",
    "required_countries",
    "positions",
    *(f"{group}.{name}" for group, names in _GROUPS.items() for name in names),
)
_WRITABLE = frozenset({*_LEAVES, *_GROUPS})
_PATHS_LIMIT = 50
_STATES_LIMIT = 10

_STATES: dict[int, State] = {job_pb2.JobState.Value(f"JOB_STATE_{state}"): state for state in State}
_VISIBILITIES = {
    job_pb2.JobVisibility.Value(f"JOB_VISIBILITY_{visibility}"): visibility
    for visibility in Visibility
}
_FIELD_TYPES = {
    job_pb2.ScreeningFieldType.Value(f"SCREENING_FIELD_TYPE_{kind}"): kind for kind in FieldType
}
_PAY_KINDS = {job_pb2.PayKind.Value(f"PAY_KIND_{kind}"): kind for kind in PayKind}


def job_message(job: Job) -> job_pb2.Job:
    """Write a job."""
    message = _posting_message(job.posting)
    message.job_id = job.job_id
    message.organisation_id = job.organisation_id
    message.positions_filled = job.filled
    message.positions_reserved = job.reserved
    message.state = job_pb2.JobState.Value(f"JOB_STATE_{job.state}")
    message.proposals = job.proposals
    message.folder_id = job.folder_id
    message.screening_plan_version = job.plan_version
    message.etag = job.etag
    message.create_time.CopyFrom(timestamp(job.create_time))
    message.update_time.CopyFrom(timestamp(job.update_time))
    if job.publish_time is not None:
        message.publish_time.CopyFrom(timestamp(job.publish_time))
    return message


def read_posting(message: job_pb2.Job, noted: Problems) -> Posting:
    """Read what a member writes of a job, noting every bad field; output-only ones are ignored."""
    pay, settings = message.pay, message.settings
    noted.require(pay.kind in {0, *_PAY_KINDS}, "job.pay.kind", "is not a known kind")
    noted.require(
        settings.visibility in {0, *_VISIBILITIES},
        "job.settings.visibility",
        "is not a known visibility",
    )
    posting = _posting(message)
    noted.violations.extend(posting.violations())
    return posting


def read_states(numbers: Sequence[int], noted: Problems) -> list[State]:
    """Read the states that a list is asked for, noting every unknown one."""
    too_many = f"has more than {_STATES_LIMIT} entries"
    noted.require(len(numbers) <= _STATES_LIMIT, "states", too_many)
    states = []
    for index, number in enumerate(numbers[:_STATES_LIMIT]):
        if noted.require(number in _STATES, f"states[{index}]", "is not a known state"):
            states.append(_STATES[number])
    return states


def plan_fields(plan: ScreeningPlan) -> list[job_pb2.ScreeningField]:
    """Write the typed questions of a plan."""
    return [
        job_pb2.ScreeningField(
            key=field.key,
            label=field.label,
            description=field.description,
            required=field.required,
            type=job_pb2.ScreeningFieldType.Value(
                f"SCREENING_FIELD_TYPE_{field.type or 'UNSPECIFIED'}"
            ),
            options=field.options,
        )
        for field in plan.fields
    ]


class Rewriting:
    """The fields of a job that a member wants changed, and their new values.

    Without a mask, every field that is set and may be written; with one, a field that it names and
    that is not set is emptied. A path that does not exist or may not be written is noted, and so is
    every value outside its limits; what a value means beside those that stay, the job judges.
    """

    def __init__(self, message: job_pb2.Job, mask: FieldMask, noted: Problems) -> None:
        paths = mask.paths[:_PATHS_LIMIT]
        noted.require(
            len(mask.paths) <= _PATHS_LIMIT, "update_mask", f"has more than {_PATHS_LIMIT} paths"
        )
        for index, path in enumerate(paths):
            noted.require(
                path in _WRITABLE, f"update_mask.paths[{index}]", "is no field that can be changed"
            )
        named = [path for path in paths if path in _WRITABLE]
        self._mask = FieldMask(paths=named if mask.paths else _set_leaves(message))
        self._values = job_pb2.Job()
        self._merge_into(self._values, message)
        self._check_values(noted)

    def __call__(self, posting: Posting) -> Posting:
        """Answer with the posting as rewritten."""
        rewritten = _posting_message(posting)
        self._merge_into(rewritten, self._values)
        return _posting(rewritten)

    def _merge_into(self, target: job_pb2.Job, source: job_pb2.Job) -> None:
        whole = job_pb2.Job()
        whole.CopyFrom(source)
        for group in _GROUPS:
            # The merge passes over what is inside an absent group, instead of emptying it.
            getattr(whole, group).SetInParent()
        self._mask.MergeMessage(
            whole, target, replace_message_field=True, replace_repeated_field=True
        )

    def _check_values(self, noted: Problems) -> None:
        found = Problems()
        read_posting(self._values, found)
        if not {"settings", "settings.visibility"}.isdisjoint(self._mask.paths):
            # On creation it would be public; nobody who changes a job means that by silence.
            told = self._values.settings.visibility
            found.require(told, "job.settings.visibility", "is needed: the mask names it")
        named = tuple(f"job.{path}" for path in self._mask.paths)
        noted.violations += [each for each in found.violations if each.field.startswith(named)]


def _set_leaves(message: job_pb2.Job) -> list[str]:
    own = [field.name for field, _ in message.ListFields()]
    nested = [
        f"{group}.{field.name}"
        for group in _GROUPS
        for field, _ in getattr(message, group).ListFields()
    ]
    return [path for path in (*own, *nested) if path in _LEAVES]


def _posting(message: job_pb2.Job) -> Posting:
    return Posting(
        title=message.title,
        description=message.description,
        category=message.category,
        required_languages=tuple(message.required_languages),
        required_skills=tuple(message.required_skills),
        required_countries=tuple(message.required_countries),
        pay=Pay(
            kind=_PAY_KINDS.get(message.pay.kind),
            minimum=message.pay.minimum_minor_units,
            maximum=message.pay.maximum_minor_units,
            currency=message.pay.currency_code,
        ),
        positions=message.positions,
        screening_plan=_plan(message.screening_plan),
        settings=Settings(
            visibility=_VISIBILITIES.get(message.settings.visibility, Visibility.PUBLIC),
            finish_when_filled=message.settings.finish_when_filled,
            add_hires_to_channels=message.settings.add_hires_to_channels,
        ),
    )


def _plan(message: job_pb2.ScreeningPlan) -> ScreeningPlan:
    fields = tuple(
        ScreeningField(
            key=field.key,
            label=field.label,
            description=field.description,
            required=field.required,
            type=_FIELD_TYPES.get(field.type),
            options=tuple(field.options),
        )
        for field in message.fields
    )
    return ScreeningPlan(message.prompt, fields)


def _posting_message(posting: Posting) -> job_pb2.Job:
    pay, settings = posting.pay, posting.settings
    kind = "UNSPECIFIED" if pay.kind is None else pay.kind
    return job_pb2.Job(
        title=posting.title,
        description=posting.description,
        category=posting.category,
        required_languages=posting.required_languages,
        required_skills=posting.required_skills,
        required_countries=posting.required_countries,
        pay=job_pb2.Pay(
            kind=job_pb2.PayKind.Value(f"PAY_KIND_{kind}"),
            minimum_minor_units=pay.minimum,
            maximum_minor_units=pay.maximum,
            currency_code=pay.currency,
        ),
        positions=posting.positions,
        screening_plan=_plan_message(posting.screening_plan),
        settings=job_pb2.JobSettings(
            visibility=job_pb2.JobVisibility.Value(f"JOB_VISIBILITY_{settings.visibility}"),
            finish_when_filled=settings.finish_when_filled,
            add_hires_to_channels=settings.add_hires_to_channels,
        ),
    )


def _plan_message(plan: ScreeningPlan) -> job_pb2.ScreeningPlan | None:
    if not plan:
        return None
    return job_pb2.ScreeningPlan(prompt=plan.prompt, fields=plan_fields(plan))


def timestamp(time: datetime) -> Timestamp:
    """Write a moment."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
