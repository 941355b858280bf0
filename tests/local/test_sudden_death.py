import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil

from deploy.local.data_dir import DataDir
from deploy.local.process import is_alive
from deploy.local.stack import Stack
from deploy.local.state import read_status

SUPERVISE = """
import asyncio, pathlib, sys
from deploy.local.stack import Stack

async def main():
    only = {"postgres", "nats", "temporal"}
    async with Stack.open(pathlib.Path(sys.argv[1]), only=only) as stack:
        print(stack.addresses.postgres_url, flush=True)
        await stack.until_failure()

asyncio.run(main())
"""


async def test_nothing_is_left_after_the_supervisor_is_killed(
    folder: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISE, str(folder), stdout=subprocess.PIPE
    )
    assert supervisor.stdout
    url = (await supervisor.stdout.readline()).decode().strip()
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    family = psutil.Process(supervisor.pid).children(recursive=True)
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    assert backend in {process.pid for process in family}

    supervisor.kill()
    await supervisor.wait()

    until(lambda: not any(is_alive(process) for process in family))
    connection.terminate()
    status = read_status(DataDir(folder))
    assert not status.running
    assert json.loads((folder / "state.json").read_text())["state"] == "running"
    # The next start is not troubled by what the killed one wrote down.
    async with Stack.open(folder, only={"postgres", "nats"}):
        assert read_status(DataDir(folder)).running
