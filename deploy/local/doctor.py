"""Looks for whatever would keep the stack from starting, before it is tried."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import binaries, postgres
from deploy.local.data_dir import DataDir, read_json
from deploy.local.failure import StackFailure
from deploy.local.ports import choose_free, holder, is_free
from deploy.local.state import read_status

_DISK_NEEDED = 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    ok: bool
    detail: str


def examine(root: Path) -> list[Finding]:
    """Look at everything that the stack needs; changes nothing, also where nothing exists yet."""
    data = DataDir(root.expanduser().resolve())
    return [
        _python(),
        _system(),
        _program("postgres", lambda: binaries.postgres("postgres"), postgres.as_ordinary_user),
        _program("initdb", lambda: binaries.postgres("initdb"), postgres.as_ordinary_user),
        _program("nats-server", lambda: binaries.scripts("nats-server")),
        _program("temporal", lambda: binaries.scripts("temporal")),
        _user(),
        _disk(data),
        _ports(data),
        _permissions(data),
        _state(data),
    ]


def _python() -> Finding:
    version = platform.python_version()
    return Finding("python", sys.version_info[:2] == (3, 11), f"{version}, 3.11 is needed")


def _system() -> Finding:
    system = platform.system()
    return Finding("system", system == "Linux", f"{system} {platform.release()}, Linux is needed")


def _program(
    name: str, find: Callable[[], Path], before: Callable[[], Sequence[str]] = tuple
) -> Finding:
    try:
        command = [*before(), str(find()), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603 - our own programs
    except StackFailure as failure:
        return Finding(name, False, str(failure))
    except subprocess.CalledProcessError as error:
        return Finding(name, False, (error.stderr or error.stdout).strip())
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, False, f"cannot be run: {error}")
    return Finding(name, True, said.stdout.strip().splitlines()[0])


def _user() -> Finding:
    if os.geteuid() != 0:
        return Finding("user", True, "not root")
    try:
        command = [*postgres.as_ordinary_user(), "true"]
        subprocess.run(command, capture_output=True, timeout=10, check=True)  # noqa: S603 - our own words
    except (StackFailure, OSError, subprocess.SubprocessError):
        detail = "root, and user namespaces are forbidden here: run this as an ordinary user"
        return Finding("user", False, detail)
    return Finding("user", True, "root; PostgreSQL runs in a user namespace")


def _disk(data: DataDir) -> Finding:
    existing = next(folder for folder in (data.root, *data.root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    return Finding("disk", free >= _DISK_NEEDED, f"{free / 1024**3:.1f} GiB free, 1 is needed")


def _ports(data: DataDir) -> Finding:
    if not is_free(choose_free()):
        return Finding("ports", False, "no server can listen on 127.0.0.1")
    if not data.ports_file.exists():
        return Finding("ports", True, "free ones will be chosen")
    if data.is_held():
        return Finding("ports", True, "in use by the running stack")
    taken = [
        f"{name} {entry['port']}, held by {holder(entry['port'])}"
        for name, entry in read_json(data.ports_file).items()
        if entry["given"] and not is_free(entry["port"])
    ]
    detail = "taken: " + "; ".join(taken) if taken else "those asked for are free"
    return Finding("ports", not taken, detail)


def _permissions(data: DataDir) -> Finding:
    if not data.root.exists():
        return Finding("data directory", True, f"{data.root} will be made")
    private = [data.root, data.keys, data.logs, data.secrets_file, data.keys / "dev-private.json"]
    open_to_others = [
        str(path) for path in private if path.exists() and path.stat().st_mode & 0o077
    ]
    if open_to_others:
        return Finding("data directory", False, "open to others: " + ", ".join(open_to_others))
    if not os.access(data.root, os.W_OK):
        return Finding("data directory", False, f"{data.root} cannot be written")
    return Finding("data directory", True, f"{data.root}, for its owner only")


def _state(data: DataDir) -> Finding:
    recorded = read_json(data.state_file).get("state", "stopped")
    if read_status(data).running:
        return Finding("state", True, f"a stack is {recorded}")
    if recorded != "stopped":
        return Finding("state", True, "the last supervisor was killed; the next start clears up")
    return Finding("state", True, "nothing runs")
