"""`cws nightly`: one unattended night of the loop, within a budget of minutes."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, working

app = command_file()


@app.command()
def nightly(
    minutes: Annotated[float, typer.Option(min=0.01, max=1440.0, help="Begin nothing new after this time.")] = 20.0,
    ablations: Annotated[int, typer.Option(min=0, max=1000, help="Judge at most this many patches.")] = 24,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Of every draw; recorded.")] = 0,
    suite: Annotated[
        str | None, typer.Option(help="One suite to judge everything.", show_default="each module's own")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    llm: Annotated[
        str | None, typer.Option(help="A model that reflects on findings.", show_default="CWS_LLM, else none")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Also look again at what nobody found at fault, and retire what decayed.")
    ] = True,
    certify: Annotated[bool, typer.Option("--certify", help="Make stale A/A certificates anew first.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Close a night that was cut off instead of going on.")] = False,
    json: Json = False,
) -> None:
    """Mine, then spend the minutes where they are likely to pay; what ships waits for a human in the morning."""
    from cli.loop import nightly_workspace
    from cli.present_night import show_night
    from cli.session import session
    from supervisor.night.page import as_json, write_page
    from supervisor.night.plan import Plan

    plan = Plan(seconds=60.0 * minutes, ablations=ablations, seed=seed, suite=suite, again=again)
    with session() as s, working("mining") as update:
        result = nightly_workspace(s, plan, workers=workers, llm=llm, certify=certify, anew=anew, progress=update)
        page = write_page(s.workspace, result)
    emit({**as_json(result), "page": str(page)}, json, lambda out: show_night(out, result, page))
    opened = [v.branch for v in result.verdicts if v.branch is not None]
    if opened and not json:
        say(f"\nnext: [bold]cws review show {opened[0]}[/]")
