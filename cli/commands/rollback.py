"""`cws rollback`: take a merged patch back, as a request that a human merges."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

app = command_file()


@app.command()
def rollback(
    patch: Annotated[str, typer.Argument(metavar="ABLATION", help="As `cws review list --all` shows it.")],
    reason: Annotated[str, typer.Option(help="Why; it is committed beside the record.")],
    by: Annotated[
        str | None, typer.Option(metavar="'NAME <MAIL>'", help="The human who asks.", show_default="git's user")
    ] = None,
    json: Json = False,
) -> None:
    """Ask to take a merged patch back: its old values on the settings of today. `cws review approve` merges it."""
    from cli.session import session
    from harness.repository import Repository
    from supervisor.forge.choice import forge_of
    from supervisor.review import human_of
    from supervisor.rollback import propose_rollback

    with session() as s:
        human = human_of(Repository(s.workspace.root), by)
        opened = propose_rollback(s.workspace, forge_of(s.workspace), patch, reason, s.emit, by=human)
    result = {"branch": opened.branch, "commit": opened.commit, "by": str(human), "reason": reason, "page": opened.page}
    emit(result, json, lambda out: out.print(f"waits for review: {opened.branch}", markup=False))
    if not json:
        say(f"next: [bold]cws review show {opened.branch}[/]")
