"""Finds the reasons that source code gives to errors, without running it."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.common import errors

_NAME = re.compile(r"[A-Z][A-Z_]*[A-Z]")


@dataclass(frozen=True)
class Told:
    """A reason and where it is written."""

    reason: str
    path: Path
    line: int


def reasons_told(folder: Path) -> list[Told]:
    """Find every literal that is given as a reason in the sources below a folder.

    That is: an argument to a parameter named `reason` of an error, or of a function or record of
    the same module; a keyword or variable whose name ends in `reason`; what a function so named
    returns; and the type of a failure that Temporal does not retry.
    """
    told = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(), str(path))
        for expression in _given(tree):
            told += [Told(reason, path, expression.lineno) for reason in _literals(expression)]
    return told


def _literals(expression: ast.expr) -> list[str]:
    match expression:
        case ast.Constant(value=str(text)) if _NAME.fullmatch(text):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*_literals(one), *_literals(other)]
        case ast.BoolOp(values=values):
            return [text for value in values for text in _literals(value)]
        case _:
            return []


def _given(tree: ast.Module) -> Iterator[ast.expr]:
    positions = _positions_of_errors() | _positions_in(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=callee) | ast.Attribute(attr=callee)):
                position = positions.get(callee, len(node.args))
                yield from node.args[position : position + 1]
                yield from _keywords(callee, node.keywords)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name.lower().endswith("reason"):
                    yield value
            case ast.FunctionDef(name=name) if name.endswith("reason"):
                returns = (each for each in ast.walk(node) if isinstance(each, ast.Return))
                yield from (each.value for each in returns if each.value is not None)
            case _:
                pass


def _keywords(callee: str, keywords: list[ast.keyword]) -> Iterator[ast.expr]:
    named = {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}
    yield from (value for name, value in named.items() if name.endswith("reason"))
    if callee == "ApplicationError" and "non_retryable" in named and "type" in named:
        yield named["type"]


def _positions_of_errors() -> dict[str, int]:
    """Give the classes of errors whose reason is an argument, and its position."""
    kinds = (kind for kind in vars(errors).values() if inspect.isclass(kind))
    signatures = {
        kind.__name__: list(inspect.signature(kind).parameters)
        for kind in kinds
        if issubclass(kind, errors.HireflowError)
    }
    return {name: given.index("reason") for name, given in signatures.items() if "reason" in given}


def _positions_in(tree: ast.Module) -> dict[str, int]:
    """Give a module's functions and records that take a reason, and its position."""
    positions = {}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
                names = [each.arg for each in arguments.args if each.arg not in {"self", "cls"}]
            case ast.ClassDef(body=body):
                fields = (each.target for each in body if isinstance(each, ast.AnnAssign))
                names = [field.id for field in fields if isinstance(field, ast.Name)]
            case _:
                continue
        if "reason" in names:
            positions[node.name] = names.index("reason")
    return positions
