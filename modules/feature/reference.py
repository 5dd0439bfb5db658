"""The feature reference, written from the library: `python -m modules.feature.reference > docs/features.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from modules.feature.library import families, latest, library
from modules.feature.row import Feature

_INTRODUCTION = """# Features

Made from the code by `python -m modules.feature.reference`; do not edit.

{count} named features in {families} families. Each is an expression of the signal language (`docs/operators.md`) with a
sign and a source; each family is a module, `modules/feature/<family>/`, whose signal is the mean of chosen members.
Settings and manifests hold `name@version`. A definition never changes: a better one is a new row with the next version,
and the old row stays, so that runs which name it replay.

*Sign*: 1 where higher goes with higher later returns by the source, -1 with lower, 0 where the source claims neither.
*Level*: the value depends on the level of adjusted prices or volumes, so on adjusted data it reads later splits
(`docs/data.md`, Levels).
"""

_SIGNS = {1: "+1", -1: "-1", 0: "0"}


def features_markdown() -> str:
    """The whole reference as Markdown."""
    parts = [_INTRODUCTION.format(count=len(library()), families=len(families()))]
    for name, rows in families().items():
        parts.append(f"## {name} ({len(latest(rows))})\n\n{_table(rows)}")
    return "\n".join(parts)


def _table(rows: Iterable[Feature]) -> str:
    head = "| feature | expression | sign | what it is | source |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{row.reference}` | `{_cell(row.expr)}` | {_SIGNS[row.sign]} "
        f"| {_cell(_about(row))} | {_cell(row.source)} |\n"
        for row in rows
    )


def _about(row: Feature) -> str:
    return f"{row.about}{'. ' if row.about else ''}Level" if row.level else row.about


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(features_markdown())
