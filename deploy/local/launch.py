"""Become another program that cannot outlive its parent.

Run by path as `python -I -S launch.py PARENT_PID PROGRAM ARGUMENT…`, standard library only. A hook
between fork and exec (`preexec_fn`) would do without this file, but it runs Python in a forked
copy of a threaded process, which may deadlock, and it rules out the cheap `vfork`.
"""

import ctypes
import os
import signal
import sys

LAUNCHER = (sys.executable, "-I", "-S", __file__)
"""The command to put the parent's process id and a program behind."""

PR_SET_PDEATHSIG = 1


def bind_to(parent: int) -> None:
    """Bind this process's life to its parent's, and let no other user read what it writes.

    The kernel sends the signal when the parent's *thread* that forked ends, so a stack belongs in
    a thread that lives as long as the stack: the main one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0) != 0:
        sys.exit(f"the kernel refused a parent-death signal: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the supervisor ended before this process began")
    os.umask(0o077)


def main() -> None:
    """Bind this process's life to its parent's, then exec the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    bind_to(parent)
    # Python ignores these two and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - replacing this process is the whole point
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
