"""`cws research`: a hypothesis in plain words becomes a tested module on a branch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, stderr

if TYPE_CHECKING:
    from cli.loop import Researched, ResearchRequest

app = command_file()

ENDINGS = {
    "drafted": ExitCode.OK,
    "specified": ExitCode.OK,
    "needs_input": ExitCode.USAGE,
    "refused": ExitCode.REFUSED,
}


@app.command()
def research(
    hypothesis: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="The hypothesis, in one or two sentences.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="A specification (spec.yaml) instead of a text.", show_default=False)
    ] = None,
    spec_only: Annotated[
        bool, typer.Option("--spec-only", help="Stop once the hypothesis is specified; the document is on stdout.")
    ] = False,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="Refuse a claim that is known throughout, instead of replicating it.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on with a research that was cut off or waits; ID or last.")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(help="With --resume: the answer to its question.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the default answer to every question.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show what made each candidate.")] = False,
    data: Annotated[
        str | None, typer.Option(help="A registered data set.", show_default="as pipeline.yaml says")
    ] = None,
    candidates: Annotated[int, typer.Option(min=1, max=40, help="Draft at most this many a round.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, max=5, help="Draft again where the evidence is weak.")] = 1,
    llm: Annotated[
        str | None,
        typer.Option(
            metavar="CHOICE",
            help="Who drafts: offline, anthropic:MODEL, openai:MODEL[@URL], replay:ID.",
            show_default="CWS_LLM, else offline",
        ),
    ] = None,
    max_usd: Annotated[float, typer.Option(min=0.0, max=1_000.0, help="Spend at most this on a model.")] = 2.0,
    lit: Annotated[
        list[str] | None,
        typer.Option(help="Also ask outside for publications: openalex, arxiv, semantic_scholar; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")] = 0,
    json: Json = False,
) -> int:
    """Read a hypothesis, draft signals, check, screen and backtest them, write the best as a module on a branch.

    Exit 2 where a part is missing (the question says which), 3 where it is refused. Ctrl-C leaves a research that
    --resume goes on with.
    """
    from cli.loop import ResearchRequest
    from cli.present_research import show_research
    from harness.budget import Budget
    from harness.llm.choice import chosen

    _one_of(hypothesis, spec, resume, answer)
    if resume is not None:
        _goes_on({"--llm": llm, "--data": data, "--lit": lit, "--spec-only": spec_only, "--new-only": new_only})
    _known_sources(lit or [])
    budget = Budget(candidates=max(candidates, 1)).capped(cost_usd=max_usd, rounds=rounds)
    request = ResearchRequest(
        hypothesis,
        spec,
        resume,
        answer,
        data,
        candidates,
        seed,
        str(chosen(llm)),
        budget,
        spec_only=spec_only,
        new_only=new_only,
        defaults=yes,
        literature=tuple(lit or ()),
    )
    found = _run(request, quiet=json)
    emit(research_json(found), json, lambda out: show_research(out, found, explain=explain))
    if not json:
        _next(found)
    return ENDINGS[found.result.status]


def _known_sources(names: list[str]) -> None:
    from harness.literature.live.choose import SEARCHABLE

    for name in names:
        if name not in SEARCHABLE:
            raise RequestError(f"--lit is {name!r}", f"give one of {', '.join(SEARCHABLE)}")


def _goes_on(given: Mapping[str, object]) -> None:
    """What a research was begun with is what it goes on with: nothing given here would be heard."""
    for name, value in given.items():
        if value:
            raise RequestError(f"{name} with --resume: a research goes on as it was begun", f"leave {name} out")


def _one_of(hypothesis: str | None, spec: Path | None, resume: str | None, answer: str | None) -> None:
    given = [
        name for name, value in (("TEXT", hypothesis), ("--spec", spec), ("--resume", resume)) if value is not None
    ]
    if len(given) != 1:
        raise RequestError(
            f"{' and '.join(given) or 'nothing'} given; research takes one of TEXT, --spec FILE, --resume ID",
            'say it, like "stocks that fell the most last week rebound"',
        )
    if hypothesis is not None and not hypothesis.strip():
        raise RequestError("the hypothesis is empty", 'say it, like "stocks that fell the most last week rebound"')
    if answer is not None and resume is None:
        raise RequestError("--answer answers the question of a research that waits", "name it with --resume ID")


def _run(request: ResearchRequest, *, quiet: bool) -> Researched:
    from cli.asking import ask, can_ask
    from cli.loop import research_request
    from cli.research_progress import watching
    from cli.session import session

    begun: list[str] = []
    asking = ask if can_ask() and not quiet else None
    try:
        with session() as s, watching(stderr(), quiet=quiet) as (progress, _):
            return research_request(s, request, progress, ask=asking, started=begun.append)
    except KeyboardInterrupt:
        if begun:
            say(f"stopped; go on with: [bold]cws research --resume {begun[-1]}[/]")
        raise
    except Exception as error:
        if begun:
            error.add_note(f"go on with: cws research --resume {begun[-1]}")
        raise


def _next(found: Researched) -> None:
    result = found.result
    if result.status == "specified":
        say("next: save it, edit it, then [bold]cws research --spec FILE[/]")
    elif result.resumable:
        say(f"next: [bold]cws research --resume {result.research_id} --answer TEXT[/]")
    elif result.chosen is not None and result.chosen.branch is not None:
        say(f"\nnext: [bold]cws review show {result.chosen.branch}[/]")


def research_json(found: Researched) -> dict[str, object]:
    """The stable fields of `cws research --json`, and everything else the result holds."""
    result = found.result
    return {
        **result.model_dump(mode="json"),
        "defaulted": [a.model_dump(mode="json") for a in result.defaulted],
        "report": {"html": found.report.html, "json": found.report.json} if found.report else None,
        "warnings": list(found.report.warnings) if found.report else None,
    }
