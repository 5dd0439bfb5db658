"""`cws research`: a hypothesis in plain words becomes a tested module on a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, working

if TYPE_CHECKING:
    from cli.loop import Researched

app = command_file()

ENDINGS = {"drafted": ExitCode.OK, "needs_input": ExitCode.USAGE, "refused": ExitCode.REFUSED}


@app.command()
def research(
    hypothesis: Annotated[str, typer.Argument(metavar="TEXT", help="The hypothesis, in one or two sentences.")],
    data: Annotated[
        str | None, typer.Option(help="A registered data set.", show_default="as pipeline.yaml says")
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=40, help="Draft at most this many.")] = 6,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")] = 0,
    json: Json = False,
) -> int:
    """Read a hypothesis, draft signals, check, screen and backtest them, write the best as a module on a branch.

    Exit 2 where a part is missing (the question says which), 3 where it is refused.
    """
    from cli.loop import research_text
    from cli.present_loop import show_research
    from cli.session import session

    if not hypothesis.strip():
        raise RequestError("the hypothesis is empty", 'say it, like "stocks that fell the most last week rebound"')
    with session() as s, working("reading") as update:
        found = research_text(
            s,
            hypothesis,
            data=data,
            candidates=candidates,
            seed=seed,
            progress=lambda node, words: update(f"{node}: {words}"),
        )
    emit(research_json(found), json, lambda out: show_research(out, found))
    chosen = found.result.chosen
    if chosen is not None and chosen.branch is not None and not json:
        say(f"\nnext: [bold]cws review show {chosen.branch}[/]")
    return ENDINGS[found.result.status]


def research_json(found: Researched) -> dict[str, object]:
    """The stable fields of `cws research --json`, and everything else the result holds."""
    result = found.result
    return {
        **result.model_dump(mode="json"),
        "report": {"html": found.report.html, "json": found.report.json} if found.report else None,
        "warnings": list(found.report.warnings) if found.report else None,
    }
