import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import pytest
from click import unstyle
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from deploy.local.cli import app
from deploy.local.process import is_alive

Until = Callable[[Callable[[], bool]], None]
HIREFLOW = (sys.executable, "-m", "deploy.local.cli")
SERVERS = ("--only=nats", "--only=postgres")


def hireflow(*words: str, folder: Path) -> CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [*HIREFLOW, words[0], f"--data-dir={folder}", *words[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def at_once(*words: str, folder: Path) -> Result:
    """Without a process of its own, for a command that only looks or asks."""
    return CliRunner().invoke(app, [words[0], f"--data-dir={folder}", *words[1:]])


@pytest.fixture
def running(folder: Path) -> Iterator[Path]:
    """A detached stack of two servers, gone afterwards."""
    started = hireflow("up", "--detach", *SERVERS, folder=folder)
    assert started.returncode == 0, started.stderr
    assert "postgres" in started.stdout
    yield folder
    at_once("down", folder=folder)


def test_a_detached_stack_is_seen_and_stopped_from_another_terminal(running: Path) -> None:
    status = hireflow("status", "--json", folder=running)
    assert status.returncode == 0
    told = json.loads(status.stdout)
    assert told["running"] is True
    pids = [told["supervisor"]["pid"], *(process["pid"] for process in told["processes"])]
    family = [psutil.Process(pid) for pid in pids]
    assert {process["name"] for process in told["processes"]} == {"postgres", "nats"}
    assert all(process["addresses"] for process in told["processes"])

    refused = hireflow("up", *SERVERS, folder=running)
    assert refused.returncode == 1
    assert f"supervisor process {told['supervisor']['pid']}" in refused.stderr

    assert "Server is ready" in at_once("logs", "nats", folder=running).stdout
    assert at_once("token", "--kind=trainer", folder=running).stdout.count(".") == 2

    stopped = hireflow("down", folder=running)
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")
    assert not any(is_alive(process) for process in family)
    assert at_once("status", "--json", folder=running).exit_code == 3
    assert "No stack runs" in at_once("down", folder=running).stdout


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_cleanly(folder: Path, until: Until, sent: int) -> None:
    with start(folder, "--only=nats") as process:
        until(lambda: (folder / "state.json").exists() and state(folder) == "running")
        children = psutil.Process(process.pid).children(recursive=True)

        process.send_signal(sent)
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0, said
    assert "Stopping everything" in said
    assert state(folder) == "stopped"
    assert not any(is_alive(child) for child in children)


def test_a_crashed_child_is_one_clear_sentence_and_a_clean_stop(folder: Path, until: Until) -> None:
    with start(folder, *SERVERS) as process:
        until(lambda: (folder / "state.json").exists() and state(folder) == "running")
        children = psutil.Process(process.pid).children(recursive=True)
        (nats,) = [child for child in children if child.name() == "nats-server"]

        nats.kill()
        _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said.startswith("hireflow: nats ended by signal SIGKILL (log: ")
    assert "Traceback" not in said
    assert not any(is_alive(child) for child in children)


def test_a_taken_port_is_one_clear_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        refused = hireflow("up", "--only=nats", f"--port=nats={port}", folder=folder)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"hireflow: Port {port}, asked for nats, is taken by ")
    assert f"(process {os.getpid()})" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_missing_program_is_one_clear_sentence(folder: Path) -> None:
    hidden = (
        "import sysconfig, sys; sysconfig.get_path = lambda name: '/nowhere';"
        "from deploy.local.cli import main;"
        f"sys.argv = ['hireflow', 'up', '--only=nats', '--data-dir={folder}']; main()"
    )
    refused = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", hidden],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert refused.returncode == 1
    assert "The program nats-server is missing" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_port_that_is_no_port_is_a_usage_error(folder: Path) -> None:
    for port in ("nats=ninety", "oven=90"):
        refused = CliRunner().invoke(app, ["up", f"--data-dir={folder}", f"--port={port}"])
        assert refused.exit_code == 2
        assert f"{port} is not NAME=PORT" in unstyle(refused.stderr)


def test_the_doctor_finds_this_machine_healthy_and_changes_nothing(folder: Path) -> None:
    examined = at_once("doctor", "--json", folder=folder / "fresh")

    told = json.loads(examined.stdout)
    assert examined.exit_code == 0, told
    assert told["ok"] is True
    assert {check["check"] for check in told["checks"]} >= {"python", "postgres", "temporal"}
    assert not (folder / "fresh").exists()


def test_the_doctor_names_what_is_open_to_others(folder: Path) -> None:
    folder.chmod(0o755)

    examined = at_once("doctor", folder=folder)

    assert examined.exit_code == 1
    assert f"open to others: {folder}" in examined.stdout


VERBS = {
    "": ["up", "down", "status", "logs", "doctor", "token", "demo", "chaos", "seed"],
    "ops": ["stuck", "show", "retry", "skip-thread", "refund", "extend"],
    "events": ["dead-letters", "replay", "republish", "rebuild"],
}


def verbs_of(group: str) -> list[str]:
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    if group:
        commands = commands.commands[group]
        assert isinstance(commands, TyperGroup)
    return [name for name, each in commands.commands.items() if not isinstance(each, TyperGroup)]


@pytest.mark.parametrize("group", VERBS)
def test_every_command_explains_itself(group: str) -> None:
    assert sorted(verbs_of(group)) == sorted(VERBS[group])
    for verb in VERBS[group]:
        told = CliRunner().invoke(app, [*group.split(), verb, "--help"])
        assert told.exit_code == 0
        wanted = {"--data-dir", "--json"} if group else {"--data-dir"}
        assert wanted <= set(unstyle(told.output).split()), verb


@pytest.mark.parametrize("order", ["retry", "skip-thread", "refund", "extend"])
def test_an_operators_order_needs_its_reason(order: str) -> None:
    told = CliRunner().invoke(app, ["ops", order, "some-hire"])
    assert told.exit_code == 2
    assert "--reason" in unstyle(told.output)


def test_an_operator_without_a_running_stack_is_told_so(folder: Path) -> None:
    refused = subprocess.run(  # noqa: S603 - our own program
        [*HIREFLOW, "ops", "stuck", f"--data-dir={folder}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("hireflow: No hiring service runs on ")


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [*HIREFLOW, "up", f"--data-dir={folder}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state(folder: Path) -> str:
    return str(json.loads((folder / "state.json").read_text())["state"])
