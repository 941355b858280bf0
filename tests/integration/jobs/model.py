"""A simple model of what the services of jobs ought to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tests.integration.jobs.calls import (
    COMPLETE,
    HIRES,
    NAMES,
    ORGANISATIONS,
    TRAINERS,
    TRANSITIONS,
    WORKFLOW,
    Call,
    moved,
    revoked,
)
from tests.integration.jobs.model_hires import Hires, Job

Change: TypeAlias = Callable[[Call, Job], object]


@dataclass
class Folder:
    """A folder of the model."""

    organisation: str
    name: str
    version: int = 1
    deleted: bool = False


class Model:
    """What the services ought to do, in memory."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.folders: list[Folder] = []
        self.hires = Hires()

    def apply(self, call: Call) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        if call.by != WORKFLOW and (call.what in HIRES or call.caller not in ORGANISATIONS):
            return "CALLER_NOT_ALLOWED"
        if self._is_malformed(call):
            return "INVALID_FIELDS"
        if call.by == WORKFLOW:
            return self.hires.apply(call, self._any_job(call.place))
        if call.what in TRANSITIONS:
            return self._on_job(call, self._transit)
        carry_out = getattr(self, f"_{call.what}")
        is_on_job = call.what in ("edit", "invite", "revoke", "write")
        return self._on_job(call, carry_out) if is_on_job else carry_out(call)

    def etag(self, call: Call) -> str:
        """The etag that a call sends."""
        if call.etag != "present":
            return "v0" if call.etag == "stale" else ""
        if call.what in ("rename_folder", "delete_folder"):
            found = [self.folders[call.folder].version] if self._is_folder(call) else []
        else:
            found = [job.version for job in self.jobs[call.job : call.job + 1]]
        return f"v{found[0]}" if found else ""

    def sees(self, person: str, job: Job) -> bool:
        """Whether somebody may read a job."""
        if person in TRAINERS:
            to_all = job.fields["visibility"] != "INVITE_ONLY"
            return job.state == "PUBLISHED" and (to_all or person in job.invited)
        return person == "operator" or ORGANISATIONS[person] == job.organisation

    def inside(self, folder: int) -> int:
        """How many jobs are in a folder."""
        return sum(job.folder == folder for job in self.jobs)

    @staticmethod
    def _is_malformed(call: Call) -> bool:
        match call.what:
            case "create":
                return call.draft is None
            case "edit":
                return call.edit.changes is None
            case "invite":
                return not call.invited
            case "make_folder" | "rename_folder":
                return call.name in NAMES[3:]
            case _:
                return False

    def _create(self, call: Call) -> object:
        fields = {**COMPLETE, **(call.draft or {})}
        self.jobs.append(Job(ORGANISATIONS[call.caller], fields))
        return self.jobs[-1].seen()

    def _on_job(self, call: Call, change: Change) -> object:
        job = self._own_job(call.caller, call.job)
        if job is None:
            return "NOT_FOUND"
        if call.etag == "stale" and call.what not in ("invite", "revoke", "write"):
            return "ETAG_MISMATCH"
        return change(call, job)

    def _any_job(self, place: int) -> Job | None:
        return self.jobs[place] if place < len(self.jobs) else None

    def _own_job(self, caller: str, place: int) -> Job | None:
        job = self._any_job(place)
        return job if job and job.organisation == ORGANISATIONS[caller] else None

    @staticmethod
    def _transit(call: Call, job: Job) -> object:
        sources, target, event = TRANSITIONS[call.what]
        if job.state not in sources:
            return "WRONG_STATE"
        if call.what == "publish" and not job.is_complete:
            return "JOB_INCOMPLETE"
        if call.what == "archive" and job.reserved + job.filled:
            return "JOB_IN_USE"
        job.state = target
        job.finished_by_itself = False
        job.events.append(event)
        return job.seen()

    @staticmethod
    def _edit(call: Call, job: Job) -> object:
        if job.state == "ARCHIVED":
            return "WRONG_STATE"
        before = job.fields
        job.fields = {**before, **(call.edit.changes or {})}
        if job.free < 0 or (job.state != "DRAFT" and not job.is_complete):
            refused = "POSITIONS_IN_USE" if job.free < 0 else "JOB_INCOMPLETE"
            job.fields = before
            return refused
        if job.fields != before:
            job.events.append("updated")
        return job.seen()

    @staticmethod
    def _invite(call: Call, job: Job) -> object:
        if job.state == "ARCHIVED":
            return "WRONG_STATE"
        new = set(call.invited) - set(job.invited)
        job.invited += sorted(new)
        if new:
            job.events.append("trainers_invited")
        return job.seen(), new

    @staticmethod
    def _revoke(call: Call, job: Job) -> object:
        if job.state == "ARCHIVED":
            return "WRONG_STATE"
        was_invited = revoked(call) in job.invited
        if was_invited:
            job.invited.remove(revoked(call))
            job.events.append("invitation_revoked")
        return was_invited

    @staticmethod
    def _write(call: Call, job: Job) -> object:
        if job.state == "ARCHIVED":
            return "WRONG_STATE"
        if call.etag == "stale":
            return "ETAG_MISMATCH"
        job.texts.append(call.name)
        job.events.append("instructions_written")
        return len(job.texts)

    def _make_folder(self, call: Call) -> object:
        organisation = ORGANISATIONS[call.caller]
        if self._is_taken(organisation, call.name):
            return "FOLDER_EXISTS"
        self.folders.append(Folder(organisation, call.name))
        return call.name, 1, 0

    def _rename_folder(self, call: Call) -> object:
        folder = self._own_folder(call)
        if isinstance(folder, str):
            return folder
        if folder.name != call.name:
            if self._is_taken(folder.organisation, call.name, apart_from=folder):
                return "FOLDER_EXISTS"
            folder.name = call.name
            folder.version += 1
        return folder.name, folder.version, self.inside(call.folder)

    def _delete_folder(self, call: Call) -> object:
        folder = self._own_folder(call)
        if isinstance(folder, str):
            return folder
        folder.deleted = True
        inside = [job for job in self.jobs if job.folder == call.folder]
        for job in inside:
            job.folder = -1
            job.events.append("updated")
        return len(inside)

    def _move(self, call: Call) -> object:
        if call.folder != -1 and self._find_folder(call) is None:
            return "NOT_FOUND"
        return [self._moved(call, place) for place in moved(call)]

    def _moved(self, call: Call, place: int) -> str:
        job = self._own_job(call.caller, place)
        if job is None:
            return "NOT_FOUND"
        if job.folder != call.folder:
            job.folder = call.folder
            job.events.append("updated")
        return ""

    def _own_folder(self, call: Call) -> Folder | str:
        folder = self._find_folder(call)
        if folder is None:
            return "NOT_FOUND"
        return "ETAG_MISMATCH" if call.etag == "stale" else folder

    def _find_folder(self, call: Call) -> Folder | None:
        folder = self.folders[call.folder] if self._is_folder(call) else None
        own = folder and folder.organisation == ORGANISATIONS[call.caller]
        return folder if folder and own and not folder.deleted else None

    def _is_folder(self, call: Call) -> bool:
        return 0 <= call.folder < len(self.folders)

    def _is_taken(self, organisation: str, name: str, apart_from: Folder | None = None) -> bool:
        return any(
            each is not apart_from and each.name.lower() == name.lower()
            for _, each in self.folders_of(organisation)
        )

    def folders_of(self, organisation: str) -> Iterator[tuple[int, Folder]]:
        """The folders that an organisation has, with their places."""
        for place, folder in enumerate(self.folders):
            if folder.organisation == organisation and not folder.deleted:
                yield place, folder
