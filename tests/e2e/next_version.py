"""The next version of a service, made from this tree: one field more in its proto and its table."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDED_FIELD_NUMBER = 900
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{last}"


def upgrade() -> None:
    column = sa.Column("cost_centre", sa.Text, nullable=False, server_default="none")
    op.add_column("job", column, schema="jobs")
"""


@dataclass(frozen=True)
class NextVersion:
    """A tree of its own whose programs are run beside those of this tree."""

    root: Path

    @classmethod
    def of_jobs(cls, root: Path) -> "NextVersion":
        """Copy the tree; let a job have a cost centre in its proto, its table and its answers."""
        for folder in ("services", "protos", "workflows"):
            shutil.copytree(ROOT / folder, root / folder)
        (root / "docs").mkdir()
        _replace(
            root / "protos/hireflow/jobs/v1/job.proto",
            "message Job {\n",
            f"message Job {{\n  // Who pays.\n  string cost_centre = {ADDED_FIELD_NUMBER};\n",
        )
        _replace(
            root / "services/jobs/wire.py",
            "    return job_pb2.Job(\n",
            '    return job_pb2.Job(\n        cost_centre="none",\n',
        )
        versions = root / "services/jobs/migrations/versions"
        last = max(path.name for path in versions.glob("*.py")).partition("_")[0]
        (versions / "9000_cost_centres.py").write_text(MIGRATION.format(last=last))
        return cls(root)

    async def prepare(self) -> None:
        """Generate the stubs of the changed proto."""
        await self._run(dict(os.environ), str(self.root / "protos/generate.py"))

    async def migrate(self, environment: dict[str, str]) -> None:
        """Run the migrations, as a roll-out does before the first process of the new version."""
        await self._run(environment, "-P", "-m", "services", "migrate")

    def serving(self, environment: dict[str, str]) -> AbstractAsyncContextManager[None]:
        """Run the new version's jobs service while in the block."""
        return program(self._told(environment), self.root, "-P", "-m", "services", "jobs")

    async def _run(self, environment: dict[str, str], *arguments: str) -> None:
        process = await _start(self._told(environment), self.root, *arguments)
        code = await asyncio.wait_for(process.wait(), 100)
        assert code == 0, log_of(self.root)

    def _told(self, environment: dict[str, str]) -> dict[str, str]:
        path = f"{self.root}{os.pathsep}{self.root / 'protos/gen'}"
        return {**environment, "PYTHONPATH": path}


@asynccontextmanager
async def program(
    environment: dict[str, str], folder: Path, *arguments: str
) -> AsyncIterator[None]:
    """Run a Python program while in the block, with its log in the folder; stop it in order."""
    process = await _start(environment, folder, *arguments)
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 60)


def log_of(folder: Path) -> str:
    """The end of what programs in the folder said."""
    return (folder / "log").read_text()[-2000:]


async def _start(
    environment: dict[str, str], folder: Path, *arguments: str
) -> asyncio.subprocess.Process:
    with (folder / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} is not as expected"
    path.write_text(text.replace(old, new))
