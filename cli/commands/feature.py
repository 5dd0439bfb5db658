"""`cws feature`: the library of named features, and what of it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from cli.featurework import Part
    from cli.session import Session
    from modules.feature.library import Feature
    from modules.featurestore import Built, Commit

app = command_file("The feature library and its store.")

Data = Annotated[str | None, typer.Option(help="A registered data set.", show_default="as pipeline.yaml says")]
Facts = Annotated[str | None, typer.Option(help="A set of facts, for features that read them.", show_default="none")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Features, like KMID or KMID@1.")]


@app.command("list")
def list_(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="In name, family, formula or source.")] = None,
    family: Annotated[str | None, typer.Option(help="One family only.", show_default="all")] = None,
    json: Json = False,
) -> None:
    """Every feature at its latest version: family, sign, source and expression."""
    from cli.present import rows, table
    from modules.feature.library import families, latest

    known = families()
    if family is not None and family not in known:
        raise RequestError(f"family {family!r} does not exist", f"there are {', '.join(known)}")
    found = [
        _row(name, feature)
        for name, features in known.items()
        for feature in latest(features)
        if family in (None, name) and _holds(name, feature, text)
    ]
    made = table("feature", "family", "sign", "source", "expression", right=("sign",))
    cells = ([f[k] for k in ("feature", "family", "sign", "source", "expr")] for f in found)
    emit({"features": found}, json, lambda out: out.print(rows(made, cells)))
    if not json:
        say(f"{len(found)} features" if found else "no feature fits; leave out TEXT to see all")


def _holds(family: str, feature: Feature, text: str | None) -> bool:
    words = (family, feature.name, feature.expr, feature.source, feature.about)
    return text is None or any(text.lower() in word.lower() for word in words)


def _row(family: str, feature: Feature) -> dict[str, object]:
    return {
        "feature": feature.reference,
        "family": family,
        "sign": feature.sign,
        "source": feature.source,
        "about": feature.about,
        "expr": feature.expr,
    }


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME[@V]", help="A feature, like KMID or KMID@1.")],
    json: Json = False,
) -> None:
    """One feature: in words, its unit, warm-up, fields, source, versions, and what is stored of it."""
    from cli.session import stores
    from modules.feature.library import families, find
    from modules.featurestore import wanted
    from modules.signal import fields_of, unit_of, warmup
    from modules.signal.words import in_words

    feature = find(name)
    family = next(f for f, rows in families().items() if feature in rows)
    current = wanted(feature.reference, feature.node)
    words = in_words(feature.node)
    builds = [b for b in stores().features.state().builds.values() if b.key.feature == feature.reference]
    result = {
        **_row(family, feature),
        "words": words.sentence,
        "unit": str(unit_of(feature.node)),
        "warmup_bars": warmup(feature.node),
        "fields": sorted(fields_of(feature.node)),
        "versions": [f.reference for f in families()[family] if f.name == feature.name],
        "computation": current.computation,
        "stored": [
            {
                "data": b.key.data,
                "data_version": b.key.data_version,
                "computation": b.key.computation,
                "current": b.key.computation == current.computation,
                "commit": b.commit,
            }
            for b in builds
        ],
    }

    def human(out: Console) -> None:
        from cli.present import rows, table, text

        for line in words.lines():
            out.print(line, markup=False, soft_wrap=True)
        out.print()
        for key, value in result.items():
            if key not in ("words", "stored"):
                out.print(f"{key.replace('_', ' '):<12}  {text(value)}", markup=False, soft_wrap=True)
        if not builds:
            out.print(f"not stored; `cws feature build {feature.name}` stores it", markup=False)
            return
        made = table("stored for", "version", "computation", "current", "commit", right=("commit",))
        keys = ((b.key, b.commit) for b in builds)
        cells = (
            (k.data, k.data_version[:12], k.computation[:12], k.computation == current.computation, commit)
            for k, commit in keys
        )
        out.print(rows(made, cells))

    emit(result, json, human)


@app.command()
def build(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[FAMILY|NAME]...", help="Families or features; all if none is named.")
    ] = None,
    data: Data = None,
    facts: Facts = None,
    json: Json = False,
) -> int:
    """Compute features on a data set's cleaned bars (outside the lockbox) and store what is not there yet."""
    from cli.featurework import NEEDS_FACTS, named, parts
    from cli.session import session

    features = named(names or [])
    with session() as s, working(f"building {len(features)} features"):
        found = parts(s, data, facts, features)
        built = [_built(s, part) for part in found]
    reached = {f.reference for part in found for f in part.features}
    refused = {f.reference: NEEDS_FACTS for f in features if f.reference not in reached}
    result = {
        "data": found[0].measured.source.data,
        "data_version": found[0].measured.source.version,
        "bars": found[0].measured.bars.shape[0],
        "symbols": len(found[0].measured.bars.symbols),
        "new": [w.feature for b in built for w in b.written.new],
        "there": [w.feature for b in built for w in b.written.there],
        "refused": {name: why for b in built for name, why in b.refused.items()} | refused,
        "files": sum(b.written.files for b in built),
        "version": max(b.written.version for b in built),
    }
    emit(result, json, lambda out: _show_built(out, result))
    return ExitCode.OK if result["new"] or result["there"] else ExitCode.FAILED


def _built(s: Session, part: Part) -> Built:
    from modules.featurestore import build
    from traces.events import FeaturesStored

    built = build(s.features, part.measured, {f.reference: f.node for f in part.features})
    written, source = built.written, part.measured.source
    if written.new:
        s.emit(
            FeaturesStored(
                data=source.data,
                data_digest=source.version,
                version=written.version,
                commit=s.features.state(written.version).sum,
                features=[w.feature for w in written.new],
                files=written.files,
            )
        )
    return built


def _show_built(out: Console, result: Mapping[str, Any]) -> None:
    from cli.present import rows, table

    if result["new"]:
        out.print(f"stored {len(result['new'])} features in {result['files']} files; version {result['version']}")
    else:
        out.print("nothing new was stored")
    if result["there"]:
        out.print(f"{len(result['there'])} were there already, by the same computation of the same bars")
    if result["refused"]:
        cells = ((name, why.split("\n", 1)[0]) for name, why in result["refused"].items())
        out.print(rows(table("not possible on these bars", "because"), cells))


@app.command()
def read(
    names: Names,
    out_file: Annotated[
        Path,
        typer.Option("--out", help="Parquet file: event_time, available_at, symbol, feature, value."),
    ],
    data: Data = None,
    facts: Facts = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="What was known then, ISO; a date includes its day.")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First bar.", show_default="the first")] = None,
    end: Annotated[str | None, typer.Option(metavar="DATE", help="Last bar.", show_default="the last")] = None,
    computation: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="Begins with this, instead of the current one.", show_default="current"),
    ] = None,
    version: Annotated[int | None, typer.Option(min=0, help="The store as it was.", show_default="newest")] = None,
    json: Json = False,
) -> None:
    """Write stored values to a file; nothing is computed."""
    import polars as pl

    from cli.featurework import by_computation, current, instant, span
    from cli.parquet import check_target, write_table
    from cli.session import session
    from modules.featurestore import long_table

    check_target(out_file)
    moment, first, last = instant("--as-of", as_of, end=True), instant("--start", start), instant("--end", end, True)
    with session() as s, working("reading"):
        if computation is None:
            asked = current(s, names, data, facts)
        else:
            asked = [by_computation(s, names, data, computation, version)]
        period = {"as_of_ns": moment, "start_ns": first, "end_ns": last}
        found = [s.features.load(wanted, source, **period, version=version) for wanted, source in asked]
        table = pl.concat(long_table(stored, moment) for stored in found)
        write_table(out_file, table)
    values = int(table.get_column("value").count())
    result = {
        "out": out_file,
        "features": {w.feature: w.computation for wanted, _ in asked for w in wanted},
        "data": asked[0][1].data,
        "data_version": asked[0][1].version,
        "rows": table.height,
        "values": values,
        **span(table),
    }

    def human(out: Console) -> None:
        count = len(set(table.get_column("feature")))
        named = "1 feature" if count == 1 else f"{count} features"
        out.print(f"{out_file}: {table.height:,} rows, {values:,} values of {named}", markup=False)
        out.print(f"{result['symbols']} symbols, {result['start']} to {result['end']}", markup=False)

    emit(result, json, human)


@app.command()
def history(
    limit: Annotated[int, typer.Option(min=1, help="Newest first, at most so many.")] = 20,
    verify: Annotated[bool, typer.Option(help="Read every stored file and compare its digest.")] = False,
    json: Json = False,
) -> None:
    """Every commit of the store: when, of which data, which features it brought, and how many files it wrote."""
    from cli.present import rows, table
    from cli.session import stores

    store = stores().features
    commits = [c for c in store.state().commits if c.builds][::-1][:limit]
    files = store.verify() if verify else None
    listed = [_commit(c) for c in commits]
    made = table("version", "made", "data", "data version", "features", "files", right=("version", "features", "files"))
    cells = (
        (c["version"], c["made"], c["data"], str(c["data_version"])[:12], len(k.builds), c["files"])
        for c, k in zip(listed, commits, strict=True)
    )
    result = {"commits": listed, "verified_files": files}
    emit(result, json, lambda out: out.print(rows(made, cells) if listed else "nothing was ever stored"))
    if files is not None and not json:
        say(f"{files} files verified")


def _commit(commit: Commit) -> Mapping[str, object]:
    from datetime import UTC, datetime

    return {
        "version": commit.version,
        "made": datetime.fromtimestamp(commit.made_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": commit.data,
        "data_version": commit.data_version,
        "features": [k.feature for k in commit.builds],
        "computations": sorted({k.computation for k in commit.builds}),
        "files": commit.files,
    }
