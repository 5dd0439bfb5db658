"""`cws lit`: what is published, searched by words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import Console

    from harness.literature.index import Source

app = command_file("Published predictors and effects.")


@app.command()
def search(
    query: Annotated[str, typer.Argument(metavar="[QUERY]", help="Words; none lists all.")] = "",
    family: Annotated[str | None, typer.Option(help="Only this family, such as value or momentum.")] = None,
    constructible: Annotated[bool, typer.Option(help="Only what bars and facts can make.")] = False,
    limit: Annotated[int, typer.Option(help="At most this many, 1 to 500.")] = 10,
    json: Json = False,
) -> None:
    """Sources nearest to the words, best first."""
    from harness.literature.search import find

    if not 1 <= limit <= 500:
        raise RequestError(f"--limit is {limit}", "give a number from 1 to 500")
    try:
        found = find(query, limit=limit, family=family, constructible=constructible)
    except ValueError as error:
        raise RequestError(str(error)) from error
    emit(
        {"query": query, "sources": [{**f.source.model_dump(), "score": f.score} for f in found]},
        json,
        lambda out: _list(out, [f.source for f in found]),
    )


@app.command()
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As `cws lit search` prints it.")], json: Json = False
) -> None:
    """One source in full."""
    from difflib import get_close_matches

    from harness.literature.index import load_index, source_of

    source = source_of(key)
    if source is None:
        near = get_close_matches(key, [s.key for s in load_index()], n=3)
        raise RequestError(
            f"source {key!r} is not in the index",
            f"did you mean {', '.join(near)}?" if near else "`cws lit search WORDS` finds keys",
        )
    emit(source, json, lambda out: _show(out, source))


def _list(out: Console, sources: list[Source]) -> None:
    from cli.present import rows, table

    if not sources:
        out.print("nothing in the index shares a word with that", markup=False)
        return
    made = table("key", "claim", "sign", "t", "made of", right=("sign", "t"))
    out.print(
        rows(made, ((s.key, s.claim, f"{s.sign:+d}", s.t_stat, s.fidelity or f"needs {s.needs}") for s in sources))
    )


def _show(out: Console, source: Source) -> None:
    from cli.present import rows, table

    made = f"{source.construction} ({source.fidelity})" if source.construction else f"needs {source.needs}"
    facts = (
        ("source", f"{source.authors} ({source.year}), {source.title}, {source.journal}"),
        ("claim", source.claim),
        ("later returns", "rise with it" if source.sign > 0 else "fall with it"),
        ("construction", made),
        ("look-back, bars", source.horizon_bars),
        ("held, bars", source.holding_bars),
        ("sample", source.sample),
        ("t as reported", source.t_stat),
        ("% a month as reported", source.monthly_pct),
        ("skills", source.skills),
    )
    out.print(rows(table(source.key, source.family), facts))
