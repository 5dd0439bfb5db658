"""Data on stdout, words on stderr, and JSON without NaN."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")]

MAX_SEED = 2**63 - 1
"""A seed is kept in the ledger as a 64-bit integer."""

PIPE_WIDTH = 160
"""Columns where nobody looks: wide enough that no table cell is cut when the output is a file."""


def plain(value: object) -> object:
    """Any result as JSON values: models and dataclasses as objects, NaN and infinities as null."""
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=repr)
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "item"):
        return plain(value.item())
    raise TypeError(f"{type(value).__name__} has no JSON form; give `plain` a case for it")


_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})


def visible(text: str) -> str:
    """Text that a terminal only shows: control, invisible and direction-changing characters of file names, symbols and
    documents are written out. Line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape").decode()
        for c in text
    )


def emit(payload: object, as_json: bool, human: Callable[[Console], None]) -> None:
    """The result of a command: one JSON object, or what `human` draws; both on stdout."""
    if as_json:
        sys.stdout.write(json.dumps(plain(payload), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        human(stdout())


def stdout() -> Console:
    """A console for data. Colour obeys NO_COLOR and is off when stdout is not a terminal."""
    return _console(stderr=False)


def stderr() -> Console:
    """A console for words."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def say(text: str) -> None:
    """A line of words on stderr (rich markup allowed)."""
    stderr().print(text)


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner with a changing text on a terminal; elsewhere nothing at all."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status(text) as status:
        yield status.update
