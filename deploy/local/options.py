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
