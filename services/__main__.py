"""One program, chosen parts: `python -m services jobs contracts`, `… all`, `… migrate [jobs]`."""

import argparse
import sys
from collections.abc import Sequence

import uvloop
from pydantic import ValidationError

from services.common.migrations import migrate
from services.common.runtime import run
from services.common.settings import Settings
from services.common.telemetry import configure
from services.registry import SERVICES, Wiring, load


def main() -> int:
    """Run services in this process, or bring their schemas to the newest version."""
    parser = argparse.ArgumentParser(prog="python -m services", description=main.__doc__)
    parser.add_argument("words", nargs="+", metavar="all | migrate | service", help="what to run")
    words: list[str] = parser.parse_args().words
    migrating = words[0] == "migrate"
    names = [word for word in words if word not in {"all", "migrate"}] or list(SERVICES)
    if unknown := set(names) - SERVICES.keys():
        parser.error(
            f"no such service: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}"
        )
    try:
        settings = Settings()
        wirings = load(names)
        process = (
            "migrate" if migrating else "-".join(names) if len(names) < len(SERVICES) else "all"
        )
        configure(settings, process)
        if migrating:
            uvloop.run(_migrate(settings, wirings))
        else:
            uvloop.run(run(settings, process, [wiring.build for wiring in wirings]))
    except (ValidationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _migrate(settings: Settings, wirings: Sequence[Wiring]) -> None:
    for wiring in wirings:
        await migrate(settings, wiring.SCHEMA, wiring.MIGRATIONS)


if __name__ == "__main__":
    sys.exit(main())
