"""`cws nightly`: one unattended night of the loop, within a budget of minutes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, working

if TYPE_CHECKING:
    from modules.workspace import Workspace

app = command_file()
TRACKING_SECONDS = 60.0


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
    track: Annotated[bool, typer.Option(help="Tell MLflow afterwards, for at most a minute.")] = True,
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
        if track:
            update("telling MLflow")
            result = replace(result, notes=(*result.notes, told(s.workspace)))
        page = write_page(s.workspace, result)
    emit({**as_json(result), "page": str(page)}, json, lambda out: show_night(out, result, page))
    opened = [v.branch for v in result.verdicts if v.branch is not None]
    if not json:
        first = f"cws review show {opened[0]}" if opened else "cws board"
        say(f"\nnext: [bold]{first}[/]{'; the whole loop on one page: [bold]cws board[/]' if opened else ''}")


def told(workspace: Workspace) -> str:
    """What MLflow heard of the night; that it could not be reached is a note, and costs the night nothing."""
    from supervisor.tracking import track
    from traces.export import ExportError

    try:
        heard = track(workspace, seconds=TRACKING_SECONDS)
    except ExportError as error:
        return f"MLflow was not told: {error}"
    later = "" if heard.complete else "; the next call goes on"
    return f"MLflow was told of {heard.runs} runs and {heard.ablations} ablations{later}"
