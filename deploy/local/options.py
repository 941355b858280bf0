"""The options that commands of `hireflow` share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATA = Path(".hireflow")

Data = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        help="Where the stack keeps data, keys, ports and logs; each directory is its own stack.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def chosen(data_dir: Path) -> str:
    """Give what a further command on a data directory needs beside its name, to be copied."""
    return "" if data_dir == DEFAULT_DATA else f" --data-dir {data_dir}"
