"""`cws signal`: the language by itself, before any backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, working
from cli.plan import MOST, show_plan

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree

    from modules.panel import FloatArray, Panel
    from modules.signal import Node, Operator, Proof

app = command_file("The signal language.")

# An expression may begin with a minus, which is no option.
TAKES_EXPRESSIONS = {"ignore_unknown_options": True}

Expr = Annotated[str, typer.Argument(metavar="EXPR", help='An expression, like "rank(-returns(close, 5))".')]
Data = Annotated[str | None, typer.Option(help="A registered data set.", show_default="as pipeline.yaml says")]


@app.command("eval", context_settings=TAKES_EXPRESSIONS)
def eval_(
    expr: Expr,
    out_file: Annotated[Path, typer.Option("--out", help="Parquet file to write: event_time, symbol, value.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Evaluate an expression on a data set's cleaned bars (outside the lockbox) and write the values."""
    from cli.barsource import bars_of
    from cli.parquet import check_target
    from cli.session import session
    from modules.panel import iso
    from modules.signal import evaluate, format_signal, parse, signal_digest, warmup

    node = parse(expr)
    check_target(out_file)
    with session() as s, working("evaluating"):
        bars = bars_of(s, data)
        values = evaluate(node, bars)
        write_values(out_file, bars, values)
    finite = int((values == values).sum())
    result = {
        "expr": format_signal(node),
        "digest": signal_digest(node),
        "out": out_file,
        "rows": values.size,
        "values": finite,
        "coverage": finite / values.size if values.size else 0.0,
        "symbols": len(bars.symbols),
        "start": iso(int(bars.ts[0])),
        "end": iso(int(bars.ts[-1])),
        "warmup_bars": warmup(node),
    }
    emit(result, json, lambda out: _pairs(out, result))


def write_values(path: Path, bars: Panel, values: FloatArray) -> None:
    """Long table, time-major; NaN as null. Whole or not at all."""
    import numpy as np
    import polars as pl

    from cli.parquet import write_table

    rows, columns = values.shape
    table = pl.DataFrame(
        {
            "event_time": pl.Series(np.repeat(bars.ts, columns)).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            "symbol": list(bars.symbols) * rows,
            "value": pl.Series(values.ravel()).fill_nan(None),
        }
    )
    write_table(path, table)


@app.command(context_settings=TAKES_EXPRESSIONS)
def check(
    expr: Expr,
    data: Data = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the sampled times.")] = 0,
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Times at which history is cut.")] = 16,
    json: Json = False,
) -> int:
    """Prove on real data: batch equals stream, and no look-ahead. Exit 1 where a bit differs."""
    from cli.barsource import bars_of
    from cli.session import session
    from modules.signal import format_signal, parse, prove

    node = parse(expr)
    with session() as s, working("proving"):
        proof = prove(node, bars_of(s, data), seed=seed, samples=samples)
    result = {
        "expr": format_signal(node),
        "batch_equals_stream": proof.batch_equals_stream,
        "truncation_equal": proof.truncation_equal,
        "first_difference": proof.first_difference,
        "rows": proof.rows,
        "cuts": list(proof.cuts),
    }
    emit(result, json, lambda out: _show_proof(out, proof))
    return ExitCode.OK if proof.holds else ExitCode.FAILED


@app.command(context_settings=TAKES_EXPRESSIONS)
def sheet(
    expr: Expr,
    data: Data = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to.", show_default="the workspace's reports")
    ] = None,
    quantiles: Annotated[
        int | None, typer.Option(min=2, max=20, help="Into how many to sort.", show_default="as backtest/bars says")
    ] = None,
    json: Json = False,
) -> None:
    """The factor sheet: IC, quantiles, turnover, decay, costs and capacity, as one HTML page, pictures and JSON."""
    from cli.session import session
    from cli.sheet import make, show, summary
    from modules.signal import parse

    node = parse(expr)
    if out_dir is not None and out_dir.exists() and not out_dir.is_dir():
        raise RequestError(f"--out {out_dir} is a file", "name a folder")
    with session() as s, working("measuring"):
        made = make(s, node, data, quantiles, out_dir)
    emit(summary(made), json, lambda out: show(out, made))


@app.command()
def ops(json: Json = False) -> None:
    """Every operator: how it is written, its formula, units, warm-up rule and source."""
    from cli.present import rows, table
    from modules.signal import operators

    found = operators()
    cells = ((o.signature, o.kind.value, o.formula, str(o.units), o.source) for o in found)
    emit(
        {"operators": [_operator(o) for o in found]},
        json,
        lambda out: out.print(rows(table("operator", "kind", "formula", "units", "source"), cells)),
    )


@app.command(context_settings=TAKES_EXPRESSIONS)
def explain(
    expr: Expr,
    plan: Annotated[bool, typer.Option("--plan", help="How it is computed instead: steps, memory, time.")] = False,
    data: Annotated[
        str | None, typer.Option(help="With --plan: the data set whose bars it is for.", show_default="none")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, max=MOST, help="With --plan: bars.", show_default="2500")] = None,
    symbols: Annotated[
        int | None, typer.Option(min=1, max=MOST, help="With --plan: symbols.", show_default="500")
    ] = None,
    json: Json = False,
) -> None:
    """What an expression says: in words, as a tree with each formula, its unit, fields, warm-up and digest."""
    from modules.signal import canonical, fields_of, format_signal, parse, signal_digest, unit_of, warmup
    from modules.signal.words import in_words

    node = parse(expr)
    if plan:
        show_plan(node, data, rows, symbols, json)
        return
    if data is not None or rows is not None or symbols is not None:
        raise RequestError("--data, --rows and --symbols say for which bars a plan is", "add --plan, or leave them out")
    words = in_words(node)
    result = {
        "expr": format_signal(node),
        "words": words.sentence,
        "parts": dict(words.parts),
        "canonical": format_signal(canonical(node)),
        "digest": signal_digest(node),
        "unit": str(unit_of(node)),
        "fields": sorted(fields_of(node)),
        "warmup_bars": warmup(node),
    }

    def human(out: Console) -> None:
        for line in words.lines():
            out.print(line, markup=False, soft_wrap=True)
        out.print()
        out.print(_tree(node))
        out.print()
        _pairs(out, {k: v for k, v in result.items() if k not in ("words", "parts")})

    emit(result, json, human)


@app.command(context_settings=TAKES_EXPRESSIONS)
def similar(
    expr: Expr,
    other: Annotated[
        str | None,
        typer.Argument(metavar="[OTHER]", help="The expression to compare it with; none: all that is known."),
    ] = None,
    json: Json = False,
) -> None:
    """How alike two expressions are, by trees and by ranks on a reference market; alone: what is known and near."""
    if other is None:
        from cli.nearby import show_nearby

        show_nearby(expr, json)
        return
    from modules.signal import format_signal, parse
    from modules.signal.likeness import likeness, thresholds

    first, second = parse(expr), parse(other)
    with working("comparing"):
        found = likeness(first, second)
    limits = thresholds()
    result = {
        "expr": format_signal(first),
        "other": format_signal(second),
        "structural": found.structural,
        "structural_threshold": limits.structural.threshold,
        "behavioural": found.behavioural,
        "behavioural_threshold": limits.behavioural.threshold,
        "same_idea": found.same_idea,
    }
    emit(result, json, lambda out: _pairs(out, result))


def _tree(node: Node, into: Tree | None = None) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    from modules.signal import Call, format_signal, operators

    formulas = {o.name: o.formula for o in operators()}
    label = Text(format_signal(node))
    if isinstance(node, Call):
        label.append(f"   {formulas[node.operator]}", style="dim")
    branch = Tree(label) if into is None else into.add(label)
    for child in node.inputs if isinstance(node, Call) else ():
        _tree(child, branch)
    return branch


def _operator(row: Operator) -> dict[str, object]:
    return {
        "name": row.name,
        "signature": row.signature,
        "kind": row.kind.value,
        "inputs": list(row.inputs),
        "optional_inputs": row.optional,
        "parameters": [
            {"name": p.name, "slot": p.slot.value, "low": p.low, "high": p.high, "default": p.default}
            for p in row.parameters
        ],
        "formula": row.formula,
        "units": str(row.units),
        "nan": row.nan,
        "source": row.source,
    }


def _pairs(out: Console, result: dict[str, object]) -> None:
    from cli.present import text

    width = max(map(len, result))
    for name, value in result.items():
        out.print(f"{name.replace('_', ' '):<{width}}  {text(value)}", markup=False, soft_wrap=True)


def _show_proof(out: Console, proof: Proof) -> None:
    from cli.present import rows, table, verdict_text

    def word(equal: bool) -> object:
        return verdict_text("ok" if equal else "DIFFERS")

    made = table("proof", "", "on")
    cells = (
        ("batch equals stream", word(proof.batch_equals_stream), f"{proof.rows:,} rows"),
        ("truncation equal (no look-ahead)", word(proof.truncation_equal), f"{len(proof.cuts)} sampled times"),
    )
    out.print(rows(made, cells))
    if proof.first_difference is not None:
        out.print(f"first difference: {proof.first_difference}", markup=False)
