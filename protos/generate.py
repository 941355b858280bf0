"""Generates stubs and the event catalogue from the protos, or checks what is committed.

    python protos/generate.py          write protos/gen and docs/events.md
    python protos/generate.py --check  lint, compare both, look for breaking changes

Breaking changes are looked for against `protos/baseline.binpb`, which moves only with a decision
record (`--move-baseline`).
"""

import argparse
import filecmp
import importlib.resources
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from catalogue import write_catalogue
from google.type import date_pb2

ROOT = Path(__file__).parent
SOURCES = ROOT
GENERATED = ROOT / "gen"
BASELINE = ROOT / "baseline.binpb"
CATALOGUE = ROOT.parent / "docs" / "events.md"
BIN = Path(sys.executable).parent


def _protos() -> list[str]:
    return sorted(str(p.relative_to(SOURCES)) for p in (SOURCES / "hireflow").rglob("*.proto"))


def _protoc(*arguments: str) -> None:
    wellknown = str(importlib.resources.files("grpc_tools") / "_proto")
    googleapis = str(Path(date_pb2.__file__).parent.parent.parent)
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(SOURCES)]
    command += ["-I", wellknown, "-I", googleapis, *arguments, *_protos()]
    subprocess.run(command, check=True)  # noqa: S603 - a fixed command on our own files


def _buf(*arguments: str) -> None:
    command = [str(BIN / "buf"), *arguments]
    subprocess.run(command, check=True, cwd=ROOT.parent)  # noqa: S603 - as above


def write_stubs(target: Path) -> None:
    """Write all stubs below `target`, with a package marker in each folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _protoc(
        f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
    )
    for folder in sorted({p.parent for p in target.rglob("*.py")} | {target / "hireflow"}):
        marked = folder
        while marked != target:
            (marked / "__init__.py").touch()
            marked = marked.parent
    (target / "hireflow" / "py.typed").touch()


def write_image(target: Path) -> None:
    """Write the descriptor set with comments, which buf reads without remote modules."""
    _protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={target}")


def _differences(left: Path, right: Path) -> list[str]:
    names = {
        str(p.relative_to(top))
        for top in (left, right)
        for p in top.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    _, different, missing = filecmp.cmpfiles(left, right, sorted(names), shallow=False)
    return sorted([*different, *missing])


def check() -> int:
    """Lint the protos, compare stubs and catalogue with fresh ones, refuse breaking changes."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "image.binpb"
        write_image(image)
        _buf("lint", str(image))
        _buf("breaking", str(image), "--against", str(BASELINE))
        fresh = Path(scratch) / "gen"
        write_stubs(fresh)
        stale = _differences(fresh, GENERATED)
        events = Path(scratch) / "events.md"
        write_catalogue(image, events)
        if events.read_bytes() != CATALOGUE.read_bytes():
            stale.append(CATALOGUE.name)
    if stale:
        sys.stderr.write("stale, run `make protos`: " + ", ".join(stale) + "\n")
        return 1
    return 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    mode.add_argument("--move-baseline", action="store_true", help="accept breaking changes")
    options = parser.parse_args()
    if options.check:
        return check()
    write_stubs(GENERATED)
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "image.binpb"
        write_image(image)
        write_catalogue(image, CATALOGUE)
    if options.move_baseline:
        write_image(BASELINE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
