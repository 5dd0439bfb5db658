"""Tables for people. Every command draws with these, so that the same thing looks the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cli.output import visible

if TYPE_CHECKING:
    from rich.console import Console

    from modules.manifest import Manifest

HEADLINE = ("net_sharpe", "gross_sharpe", "turnover", "max_drawdown")
COUNTERS = ("flagged_", "repaired_", "dropped_", "reduced", "rejected", "flattened", "unfilled")
SHORT = 12
WIDE = 110
"""Columns from which the wide tables are readable; below, each row is a block of lines."""


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An open table; columns named in `right` hold numbers. Text is never cut: it folds."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name in right)
    return made


def rows(made: Table, cells: Iterable[Sequence[object]]) -> Table:
    """Add rows of plain values; text is shown as it is, never as markup."""
    for row in cells:
        made.add_row(*(cell if isinstance(cell, Text) else Text(text(cell)) for cell in row))
    return made


def block(out: Console, head: str, *below: str) -> None:
    """A table's row where a table would fold to a few letters a column."""
    from rich.padding import Padding

    out.print(Text(head, style="bold"))
    for words in below:
        out.print(Padding(Text(words), (0, 0, 0, 4)))


def text(value: object) -> str:
    """One value for reading; a dash where there is none."""
    if value is None or (isinstance(value, float) and value != value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        size = abs(value)
        if value == 0 or (1 <= size < 1e15 and value == int(value)):
            return f"{value:,.0f}"
        if size and (size < 1e-3 or size >= 1e7):
            return f"{value:.3g}"
        return f"{value:,.4f}" if size < 100 else f"{value:,.1f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {text(v)}" for k, v in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(text(v) for v in value) or "-"
    return visible(str(value))


def verdict_text(word: str) -> Text:
    """SHIP green, anything else red; the word says it too."""
    return Text(word, style="bold green" if word in ("SHIP", "ok", "passed") else "bold red")


def metrics_table(metrics: Mapping[str, float]) -> Table:
    """The headline metrics first, then the rest by name, two a row; counters that counted nothing are left out."""
    quiet = {n for n, v in metrics.items() if v == 0 and n.startswith(COUNTERS)}
    names = [n for n in HEADLINE if n in metrics] + sorted(set(metrics) - set(HEADLINE) - quiet)
    made = table("metric", "value", " metric", " value", right=("value", " value"))
    half = (len(names) + 1) // 2
    for left, other in zip(names[:half], [*names[half:], ""], strict=False):
        made.add_row(left, text(metrics[left]), other, text(metrics[other]) if other else "")
    return made


def stages_table(manifest: Manifest) -> Table:
    """Stage, module, digest of its outputs, seconds."""
    return rows(
        table("stage", "module", "outputs", "seconds", right=("seconds",)),
        ((s.stage, s.module, s.digest[:SHORT], "cached" if s.cached else f"{s.seconds:.2f}") for s in manifest.stages),
    )
