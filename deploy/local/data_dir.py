"""The folder that a stack lives in: its layout, its lock, its secrets and its state."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.failure import StackFailure


def write_private(path: Path, text: str) -> None:
    """Replace a file's content in one step; mode 0600 from the first instant.

    A reader sees the old content or the new, never a part, whenever the writer is killed.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read an object that `write_private` wrote; a file that is not there is an empty one."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StackFailure(f"The file {path} cannot be read: {error}.") from error
    return content


@dataclass(frozen=True)
class DataDir:
    """The data directory of one stack. Everything in it is for its owner only (0700, 0600)."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "DataDir":
        """Open the directory, making it where needed; repeating it changes nothing.

        Raises:
            StackFailure: it cannot be made, or belongs to someone else.

        """
        data = cls(root.expanduser().resolve())
        try:
            for folder in (data.root, data.logs, data.keys):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise StackFailure(
                f"The data directory {data.root} cannot be used: {error.strerror}."
            ) from error
        return data

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def keys(self) -> Path:
        """The development key and its public half."""
        return self.root / "keys"

    @property
    def state_file(self) -> Path:
        """What runs, with process ids and addresses; no secrets."""
        return self.root / "state.json"

    @property
    def ports_file(self) -> Path:
        """The ports chosen at the first start, kept so that addresses stay the same."""
        return self.root / "ports.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.root / "lock"

    @property
    def secrets_file(self) -> Path:
        """Passwords and the webhook secret, mode 0600."""
        return self.root / "secrets.json"

    def log(self, process: str) -> Path:
        """Where a process's output goes."""
        return self.logs / f"{process}.log"

    def secret(self, name: str) -> str:
        """Give the generated secret of that name, making it at the first call."""
        known = read_json(self.secrets_file)
        if name not in known:
            # Hexadecimal: needs no quoting in SQL, in a URL or in a shell.
            known[name] = secrets.token_hex(24)
            write_private(self.secrets_file, json.dumps(known, indent=2))
        return str(known[name])

    def known_secrets(self) -> Mapping[str, str]:
        """Give every secret kept so far."""
        return read_json(self.secrets_file)

    def keep_secrets(self, **values: str) -> None:
        """Keep values that someone else made, such as a webhook's signing secret."""
        kept = read_json(self.secrets_file) | values
        write_private(self.secrets_file, json.dumps(kept, indent=2))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one supervisor; the kernel lets go when the process ends.

        Raises:
            StackFailure: another supervisor holds it.

        """
        descriptor = self._lock()
        if descriptor is None:
            holder = read_json(self.state_file).get("supervisor", {}).get("pid", "unknown")
            raise StackFailure(
                f"A stack already runs on {self.root} (supervisor process {holder}): "
                "stop it with `hireflow down` or choose another --data-dir."
            )
        try:
            yield
        finally:
            os.close(descriptor)

    def is_held(self) -> bool:
        """Tell whether a supervisor holds the directory now."""
        if not self.lock_file.exists():
            return False
        descriptor = self._lock()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def _lock(self) -> int | None:
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor
