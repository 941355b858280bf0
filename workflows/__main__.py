"""`python -m workflows hiring | worker | migrate`: one program, chosen part."""

import argparse
import sys

import uvloop

from services.common.migrations import migrate
from services.common.runtime import run
from services.common.settings import Settings
from workflows.hiring import wiring as hiring
from workflows.settings import HiringSettings


async def _main(part: str) -> None:
    if part == "migrate":
        # The schema needs the database alone: no Stripe key, no Temporal.
        await migrate(Settings(), hiring.SCHEMA, hiring.MIGRATIONS)
    elif part == "hiring":
        await run(HiringSettings(), "hiring", [hiring.build])
    else:
        from workflows import worker  # noqa: PLC0415 - the API needs no worker in its memory

        await run(HiringSettings(), "worker", [worker.build])


def main() -> int:
    """Run the command line until the process is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m workflows", description=__doc__)
    parser.add_argument(
        "part",
        choices=["hiring", "worker", "migrate"],
        help="hiring: API and webhook; worker: Temporal worker; migrate: bring the schema up",
    )
    uvloop.run(_main(parser.parse_args().part))
    return 0


if __name__ == "__main__":
    sys.exit(main())
