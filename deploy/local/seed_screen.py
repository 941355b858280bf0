"""How `hireflow seed` shows its progress and what it made."""

import json

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.data_dir import DataDir
from deploy.local.seed import open_seeder, steps
from deploy.local.seed_plan import draw


async def run(
    data: DataDir, jobs: int, proposals: int, seed: int, *, option: str, as_json: bool
) -> int:
    """Fill the stack and tell what was made; 0 once all of it is there.

    With `as_json` the bar goes to the error stream and one JSON object to the output.

    Raises:
        StackFailure: no whole stack runs, or a call was refused.

    """
    plan = draw(jobs, proposals, seed)
    columns = (TextColumn("Filling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=steps(plan))
        async with open_seeder(data, plan, lambda: bar.advance(task)) as seeder:
            await seeder.run()
    organisations = [seeder.organisation_id(number) for number in range(plan.organisations)]
    if as_json:
        told = {"seed": seed, "made": dict(seeder.made), "organisations": organisations}
        ids = {"jobs": list(seeder.job_ids.values()), "hires": seeder.hire_ids}
        Console().out(json.dumps({**told, **ids}), highlight=False)
        return 0
    console = Console()
    console.print(", ".join(f"{number} {word}" for word, number in seeder.made.items()))
    console.print(f"Organisations: {', '.join(organisations)}")
    console.print(f"Look: hireflow token --kind employer --org {organisations[0]}{option}")
    return 0
