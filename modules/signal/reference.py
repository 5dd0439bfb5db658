"""The operator reference, written from the table: `python -m modules.signal.reference > docs/operators.md`."""

from __future__ import annotations

import sys

from modules.signal.calendar import CALENDAR_FIELDS
from modules.signal.nodes import MAX_DEPTH, MAX_NODES, MAX_TEXT
from modules.signal.operators import MAX_WINDOW, Kind, Operator, operators

_INTRODUCTION = f"""# Operators

Made from the code by `python -m modules.signal.reference`; do not edit.

A signal is an expression in Python's syntax, such as `rank(-returns(close, 5))`. Names without brackets are fields
of the data (`open high low close volume`, where delivered) or of the calendar. Numbers may be named:
`winsorize(x, limit=0.01)`. Windows are whole numbers of bars up to {MAX_WINDOW:,} and reach back only; row t reads
rows up to t. At most {MAX_TEXT:,} characters, {MAX_NODES} parts, nested {MAX_DEPTH} deep.

There are no infinities: a result that is not finite is NaN, and so is division by zero. Time-series sums run oldest
to newest over the window alone, so a value does not depend on where history began. Cross-section sums run in
ascending order of value, so it does not depend on the order of symbols either.

*Warm-up* is the number of bars at the start that cannot have a value.

`cws signal explain EXPR` says a signal in words. With `--plan` it shows how it is computed: each step once, its kernel,
the rows it looks back on, its buffer, its share of the time, for the bars of `--data` or for `--rows` and `--symbols`.
Times come from `modules/signal/cost/kernels.json`, measured on one machine by `python -m benchmarks.kernels`: they say
what is dear and what is cheap; on another machine all of them are longer or shorter.
"""

_GROUPS = """## Group fields (1)

| field | value |
|---|---|
| `sector` | a code of the sector that the data set's instruments name for the symbol at the bar; NaN where none |

A group is a label: codes are compared for equality and for nothing else, so `sector` stands only where an operator
has an input `group`, as in `neutralize(x, sector)`. A data set whose instruments name no sector has no such field.
Panels get it from `modules.groups.with_groups(panel, instruments)`. A stream is given it with each bar, like a price:
`stream.push(ts_ns, {"close": close, **groups_at(ts_ns, symbols, instruments)})`.
"""

_TITLES = {
    Kind.ELEMENTWISE: "Cell by cell",
    Kind.WINDOW: "Back along time",
    Kind.STATE: "With memory",
    Kind.CROSS: "Across symbols",
}


def operators_markdown() -> str:
    """The whole reference as Markdown."""
    parts = [_INTRODUCTION]
    for kind, title in _TITLES.items():
        rows = [o for o in operators() if o.kind is kind]
        parts.append(f"## {title} ({len(rows)})\n\n{_table(rows)}")
    parts.append(_GROUPS)
    fields = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in CALENDAR_FIELDS.items())
    parts.append(f"## Calendar fields ({len(CALENDAR_FIELDS)})\n\n| field | value |\n|---|---|\n{fields}\n")
    return "\n".join(parts)


def _table(rows: list[Operator]) -> str:
    head = "| operator | formula | numbers | warm-up, bars | units | NaN | source |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {_code(o.signature)} | {_cell(o.formula)} | {_numbers(o)} | {_warmup(o)} "
        f"| {o.units} | {o.nan} | {o.source} |\n"
        for o in rows
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _numbers(row: Operator) -> str:
    """Each number with its range."""
    ranges = [f"{p.name}: {p.slot.value}, {p.low:g} to {p.high:g}" for p in row.parameters]
    return "; ".join(ranges) or "-"


def _warmup(row: Operator) -> str:
    """The warm-up as a formula of the windows."""
    if row.kind not in (Kind.WINDOW, Kind.STATE):
        return "0"
    parts = [f"max({', '.join(s)})" if len(s) > 1 else s[0] for s in row.stretches]
    terms = [p if parts.count(p) == 1 else f"{parts.count(p)} * {p}" for p in dict.fromkeys(parts)]
    constant = row.extra_rows - 1
    if not terms:
        return str(constant)
    tail = "" if constant == 0 else f" {'+' if constant > 0 else '-'} {abs(constant)}"
    return f"{' + '.join(terms)}{tail}"


if __name__ == "__main__":
    sys.stdout.write(operators_markdown())
