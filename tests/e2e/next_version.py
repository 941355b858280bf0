"""The next version of a service, made from this tree: one field more in its proto and its table."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
        for folder in ("services", "protos"):
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
        """Run its migrations, as a roll-out does before the first process of the new version."""
        await self._run(environment, "-P", "-m", "services", "migrate", "jobs")

    @asynccontextmanager
    async def serving(self, environment: dict[str, str]) -> AsyncIterator[None]:
        """Run the new version's jobs service while in the block; stop it in order."""
        process = await self._start(environment, "-P", "-m", "services", "jobs")
        try:
            yield
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)

    async def _run(self, environment: dict[str, str], *arguments: str) -> None:
        process = await self._start(environment, *arguments)
        code = await asyncio.wait_for(process.wait(), 100)
        assert code == 0, (self.root / "log").read_text()[-2000:]

    async def _start(
        self, environment: dict[str, str], *arguments: str
    ) -> asyncio.subprocess.Process:
        path = f"{self.root}{os.pathsep}{self.root / 'protos/gen'}"
        with (self.root / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                cwd=self.root,
                env={**environment, "PYTHONPATH": path},
                stdout=log,
                stderr=log,
            )


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} is not as expected"
    path.write_text(text.replace(old, new))
