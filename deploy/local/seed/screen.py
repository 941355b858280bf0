"""How `hireflow seed` shows its progress and what it made."""

import json

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.data_dir import DataDir
from deploy.local.seed.desk import open_desk
from deploy.local.seed.plan import Plan
from deploy.local.seed.seeder import Seeder


async def run(data: DataDir, plan: Plan, run_id: str, *, option: str, as_json: bool) -> int:
    """Fill the stack and tell what was made; 0 once all of it is there.

    With `as_json` the bar goes to the error stream and one JSON object to the output.

    Raises:
        StackFailure: no whole stack runs, or a call was refused.

    """
    errors = Console(stderr=True)
    errors.print(f"Run {run_id}: the same arguments with --run {run_id} go on where it ends.")
    columns = (TextColumn("Filling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with open_desk(data, run_id) as desk:
        with Progress(*columns, console=errors) as bar:
            task = bar.add_task("")
            seeder = Seeder(desk, plan, lambda: bar.advance(task))
            bar.update(task, total=seeder.steps)
            await seeder.run()
        organisations = [desk.organisation_id(number) for number in range(plan.organisations)]
    if as_json:
        told = {"run": run_id, "made": dict(seeder.made), "organisations": organisations}
        ids = {"jobs": _by_place(seeder.job_ids), "hires": _by_place(seeder.hire_ids)}
        Console().out(json.dumps({**told, **ids}), highlight=False)
        return 0
    console = Console()
    console.print(", ".join(f"{number} {word}" for word, number in seeder.made.items()))
    console.print(f"Organisations: {', '.join(organisations)}")
    console.print(f"Look: hireflow token --kind employer --org {organisations[0]}{option}")
    return 0


def _by_place(ids: dict[int, str]) -> list[str]:
    return [ids[place] for place in sorted(ids)]
