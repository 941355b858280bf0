import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from deploy.local.failure import NotReady, StackFailure
from deploy.local.process import Child, ProcessSpec, State, is_alive
from deploy.local.supervisor import Supervisor, shrink_log

Specify = Callable[..., ProcessSpec]

STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
while True:
    time.sleep(60)
"""
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
while True:
    time.sleep(60)
"""
FAILING = "import sys; print('the disk is on fire'); sys.exit(7)"


def supervise(
    folder: Path, *specs: ProcessSpec, seen: list[tuple[str, State]] | None = None
) -> Supervisor:
    def changed(child: Child) -> None:
        if seen is not None:
            seen.append((child.spec.name, child.state))

    return Supervisor(
        specs, folder=folder, log=lambda name: folder / f"{name}.log", on_change=changed
    )


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and is_alive(psutil.Process(pid))


def order(seen: Sequence[tuple[str, State]], state: State) -> list[str]:
    return list(dict.fromkeys(name for name, reached in seen if reached is state))


async def test_children_start_after_what_they_need_and_stop_before_it(
    folder: Path, stand_in: Specify
) -> None:
    seen: list[tuple[str, State]] = []
    specs = [
        stand_in("top", needs=frozenset({"middle"})),
        stand_in("middle", needs=frozenset({"ground"})),
        stand_in("ground"),
    ]

    async with supervise(folder, *specs, seen=seen) as supervisor:
        pids = [child.pid for child in supervisor.children.values()]

    assert order(seen, State.READY) == ["ground", "middle", "top"]
    assert order(seen, State.STOPPED) == ["top", "middle", "ground"]
    assert not any(is_running(pid) for pid in pids if pid)


async def test_a_crash_names_the_child_its_exit_code_and_its_last_words(
    folder: Path, stand_in: Specify
) -> None:
    spec = stand_in("oven", FAILING)

    with pytest.raises(StackFailure, match=r"(?s)oven ended with exit code 7.*the disk is on fire"):
        async with supervise(folder, stand_in("fridge"), spec):
            pass


async def test_a_crash_while_running_is_told_to_whoever_waits(
    folder: Path, stand_in: Specify
) -> None:
    async with supervise(folder, stand_in("oven"), stand_in("fridge")) as supervisor:
        pid = supervisor.child("oven").pid
        assert pid
        psutil.Process(pid).kill()

        failure = await supervisor.until_failure()

        assert "oven ended by signal SIGKILL" in str(failure)
        assert supervisor.child("oven").state is State.CRASHED
        assert supervisor.child("fridge").state is State.READY


async def test_a_crash_while_others_still_start_is_not_waited_out(
    folder: Path, stand_in: Specify
) -> None:
    async def never() -> None:
        raise NotReady("the oven is out")

    async def put_out() -> None:
        psutil.Process(supervisor.child("oven").pid).kill()

    supervisor = supervise(
        folder,
        stand_in("oven"),
        stand_in("cook", needs=frozenset({"oven"}), prepare=put_out, ready=never),
    )

    with pytest.raises(StackFailure, match="oven ended by signal SIGKILL"):
        async with supervisor:
            pass


async def test_a_child_killed_on_purpose_is_no_crash_and_starts_again(
    folder: Path, stand_in: Specify
) -> None:
    async with supervise(folder, stand_in("oven")) as supervisor:
        oven = supervisor.child("oven")
        first = oven.pid

        await supervisor.kill("oven", signal.SIGKILL)
        assert oven.pid is None
        await oven.start()

        assert supervisor.failure is None
        assert oven.pid not in {None, first}


async def test_a_child_that_is_never_ready_is_given_up_with_the_reason(
    folder: Path, stand_in: Specify
) -> None:
    async def never() -> None:
        raise NotReady("the oven is cold")

    spec = stand_in("oven", ready=never, start_within=0.3)

    with pytest.raises(StackFailure, match="oven was not ready after 0 s: the oven is cold"):
        async with supervise(folder, spec):
            pass


async def test_a_one_shot_that_fails_keeps_its_dependents_from_starting(
    folder: Path, stand_in: Specify
) -> None:
    seen: list[tuple[str, State]] = []
    specs = [
        stand_in("migrate", FAILING, one_shot=True),
        stand_in("service", needs=frozenset({"migrate"})),
    ]

    with pytest.raises(StackFailure, match="migrate ended with exit code 7"):
        async with supervise(folder, *specs, seen=seen):
            pass

    assert ("service", State.STARTING) not in seen


async def test_a_one_shot_runs_to_its_end_before_its_dependents(
    folder: Path, stand_in: Specify
) -> None:
    specs = [
        stand_in("migrate", "pass", one_shot=True),
        stand_in("service", needs=frozenset({"migrate"})),
    ]

    async with supervise(folder, *specs) as supervisor:
        assert supervisor.child("migrate").state is State.DONE
        assert supervisor.child("migrate").pid is None
        assert supervisor.child("service").state is State.READY


async def test_a_child_that_ignores_the_request_to_end_is_killed(
    folder: Path, stand_in: Specify
) -> None:
    async with supervise(folder, stand_in("mule", STUBBORN, stop_within=0.3)) as supervisor:
        pid = supervisor.child("mule").pid

    assert pid
    assert not is_running(pid)


async def test_grandchildren_end_with_their_parent(folder: Path, stand_in: Specify) -> None:
    async def ready() -> None:
        if not (folder / "parent.ready").exists() or not (folder / "parent.ready").read_text():
            raise NotReady("no grandchild yet")

    parent = stand_in("parent", PARENT, ready=ready, outlast_within=0.1)
    async with supervise(folder, parent):
        grandchild = int((folder / "parent.ready").read_text())
        assert psutil.pid_exists(grandchild)

    assert not is_running(grandchild)


async def test_a_paused_child_stands_still_and_goes_on(folder: Path, stand_in: Specify) -> None:
    async with supervise(folder, stand_in("oven")) as supervisor:
        oven = supervisor.child("oven")
        process = psutil.Process(oven.pid)
        await oven.pause()
        assert process.status() == psutil.STATUS_STOPPED

        await oven.resume()
        assert process.status() != psutil.STATUS_STOPPED

        await oven.pause()
    # Leaving ends it although it was paused.
    assert oven.pid is None


async def test_a_child_that_does_not_run_can_be_neither_killed_nor_paused(
    folder: Path, stand_in: Specify
) -> None:
    async with supervise(folder, stand_in("oven")) as supervisor:
        oven = supervisor.child("oven")
        await oven.stop()

        for act in (oven.pause, oven.resume):
            with pytest.raises(StackFailure, match="oven is not running"):
                await act()
        with pytest.raises(StackFailure, match="oven is not running"):
            await supervisor.kill("oven")


async def test_a_missing_program_is_one_clear_sentence(folder: Path) -> None:
    spec = ProcessSpec(name="oven", command=["/nowhere/oven"], one_shot=True)

    with pytest.raises(StackFailure, match="/nowhere/oven cannot be run: No such file"):
        async with supervise(folder, spec):
            pass


async def test_an_unknown_process_is_named_with_those_that_exist(
    folder: Path, stand_in: Specify
) -> None:
    async with supervise(folder, stand_in("oven")) as supervisor:
        with pytest.raises(StackFailure, match=r"no process named kiln; there are oven"):
            await supervisor.kill("kiln")


async def test_a_child_sees_only_the_environment_it_was_given(
    folder: Path, stand_in: Specify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_SHELL", "x")
    spec = stand_in("nosy", "import os; print(sorted(os.environ))", one_shot=True)

    async with supervise(folder, spec) as supervisor:
        said = supervisor.child("nosy").log.read_text()

    assert "PATH" in said
    assert "A_SECRET_OF_THE_SHELL" not in said


def test_a_log_that_outgrows_its_limit_is_moved_aside_once(folder: Path) -> None:
    log = folder / "oven.log"
    log.write_text("older" * 100)

    shrink_log(log, limit=100)
    log.write_text("newer")
    shrink_log(log, limit=100)

    assert log.read_text() == "newer"
    assert (folder / "oven.log.1").read_text() == "older" * 100
