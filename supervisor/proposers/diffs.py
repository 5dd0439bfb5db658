"""Unified diffs as a model writes them: read strictly, applied only where they fit exactly.

Line numbers are hints, since models miscount; what a hunk takes away and leaves standing must be there to the letter.
Renames, copies, deletions, modes and binary patches are refused: a patch changes text that is there, or adds a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_DIFF_CHARACTERS = 64_000
MOST_FILES = 4
NOTHING = "/dev/null"

_HUNK = re.compile(r"@@ -(\d{1,7})(?:,\d{1,7})? \+\d{1,7}(?:,\d{1,7})? @@.*")
_PREAMBLE = re.compile(r"(diff --git .*|index [0-9a-f]+\.\.[0-9a-f]+.*)")


class DiffError(ValueError):
    """A diff that cannot be read or does not fit. Says which line and what to write instead."""


@dataclass(frozen=True)
class Hunk:
    """What stands there, and what shall; `line` is where the diff believes it begins, from 1."""

    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class FileDiff:
    """The hunks of one file. `adds` = the file is new."""

    path: str
    adds: bool
    hunks: tuple[Hunk, ...]


def read_diff(text: str) -> tuple[FileDiff, ...]:
    """The files of a unified diff, in order. Raises DiffError."""
    if len(text) > MOST_DIFF_CHARACTERS:
        raise DiffError(f"the diff has {len(text)} characters; at most {MOST_DIFF_CHARACTERS} are read")
    lines = text.removesuffix("\n").split("\n")
    found: list[FileDiff] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip() or _PREAMBLE.fullmatch(lines[at]):
            at += 1
            continue
        diff, at = _file(lines, at)
        found.append(diff)
    if not found:
        raise DiffError("the diff is empty; write it as --- a/PATH, +++ b/PATH, @@ ... @@ and lines")
    if len(found) > MOST_FILES or len({d.path for d in found}) < len(found):
        raise DiffError(f"the diff names {len(found)} files; at most {MOST_FILES}, each once")
    return tuple(found)


def apply(diff: FileDiff, text: str | None) -> str:
    """`text` (None: no such file) with every hunk applied in order. Raises DiffError where one does not fit."""
    if diff.adds:
        if text is not None:
            raise DiffError(f"{diff.path} is there already; write a diff of its text, not of {NOTHING}")
        return "".join(f"{line}\n" for hunk in diff.hunks for line in hunk.new)
    if text is None:
        raise DiffError(f"{diff.path} does not exist; change a file that does")
    lines = text.removesuffix("\n").split("\n")
    end = 0
    for hunk in diff.hunks:
        at = _place(diff.path, lines, hunk, end)
        lines[at : at + len(hunk.old)] = hunk.new
        end = at + len(hunk.new)
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")


def _file(lines: Sequence[str], at: int) -> tuple[FileDiff, int]:
    if not _begins(lines, at):
        raise DiffError(f"line {at + 1}, {lines[at][:60]!r}, is no header; write --- a/PATH and +++ b/PATH")
    old, new = lines[at][4:], lines[at + 1][4:]
    if new == NOTHING:
        raise DiffError(f"{old[:200]} would be deleted; a patch changes or adds texts")
    adds = old == NOTHING
    if not new.startswith("b/") or not (adds or (old.startswith("a/") and old[2:] == new[2:])):
        raise DiffError(f"headers {old[:200]!r} and {new[:200]!r} name no one file; write --- a/PATH and +++ b/PATH")
    hunks, at = [], at + 2
    while at < len(lines) and (head := _HUNK.fullmatch(lines[at])) is not None:
        before, after, at = _body(lines, at + 1)
        hunks.append(Hunk(int(head[1]), before, after))
    if not hunks:
        raise DiffError(f"{new[2:][:200]} has no hunk; write a line @@ -L,N +L,N @@ before its lines")
    if adds and any(hunk.old for hunk in hunks):
        raise DiffError(f"{new[2:][:200]} is said to be new and has lines that stand there")
    return FileDiff(new[2:], adds, tuple(hunks)), at


def _begins(lines: Sequence[str], at: int) -> bool:
    return at + 1 < len(lines) and lines[at].startswith("--- ") and lines[at + 1].startswith("+++ ")


def _body(lines: Sequence[str], at: int) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    old: list[str] = []
    new: list[str] = []
    while at < len(lines) and not lines[at].startswith(("@@", "diff --git ")) and not _begins(lines, at):
        sign, line = lines[at][:1], lines[at][1:]
        if sign in (" ", ""):  # an empty line of context loses its blank easily
            old.append(line)
            new.append(line)
        elif sign == "-":
            old.append(line)
        elif sign == "+":
            new.append(line)
        elif sign != "\\":
            raise DiffError(f"line {at + 1}, {lines[at][:60]!r}, begins with neither blank, - nor +")
        at += 1
    while old and new and not old[-1] and not new[-1]:  # blank lines after the last hunk are the diff's own
        old.pop(), new.pop()
    if old == new:
        raise DiffError(f"a hunk before line {at + 1} changes nothing")
    return tuple(old), tuple(new), at


def _place(path: str, lines: Sequence[str], hunk: Hunk, least: int) -> int:
    if not hunk.old:
        raise DiffError(f"{path}: a hunk at line {hunk.line} adds lines beside nothing; give it lines that stand there")
    size = len(hunk.old)
    fits = [at for at in range(least, len(lines) - size + 1) if tuple(lines[at : at + size]) == hunk.old]
    if not fits:
        raise DiffError(
            f"{path}: {hunk.old[0][:60]!r} and the {size - 1} lines after it do not stand there so; copy them"
        )
    if len(fits) > 1 and hunk.line - 1 not in fits:
        raise DiffError(f"{path}: {hunk.old[0][:60]!r} fits at {len(fits)} places; give more lines around it")
    return fits[0] if len(fits) == 1 else hunk.line - 1
