"""`cws board`: a page of the loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from modules.workspace import Workspace

app = command_file()


@app.command()
def board(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page here.", show_default="board.html in the reports")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve it on 127.0.0.1, following the ledger, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve; 0 takes any free one.")] = 8321,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    json: Json = False,
) -> None:
    """What the loop found, tried, shipped and spent: one page, read from the ledger and git. Changes nothing."""
    from cli.session import stores

    workspace = stores().workspace
    if serve:
        if json or out is not None:
            raise RequestError("--serve goes with neither --json nor --out", "the server answers at /board.json too")
        _serve(workspace, port, open_)
        return
    from supervisor.board import read_board
    from supervisor.board.page import write

    found = read_board(workspace)
    if json:
        emit(found, True, lambda _: None)
        return
    target = out or workspace.reports / "board.html"
    if target.is_dir():
        raise RequestError(f"--out {target} is a folder", "name a file, like board.html")
    path = write(found, target)
    emit({"html": path}, False, lambda console: console.print(str(path), soft_wrap=True, markup=False))
    if open_:
        _browse(path.resolve().as_uri())


def _serve(workspace: Workspace, port: int, show: bool) -> None:
    from supervisor.board.serve import ADDRESS, BoardServer

    try:
        server = BoardServer(workspace, port)
    except OSError as error:
        raise CommandError(f"{ADDRESS}:{port} cannot be used: {error.strerror}", "give another --port") from error
    with server:
        say(f"the board is at [bold]{server.url}[/]; Ctrl-C ends it")
        if show:
            _browse(server.url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("ended")


def _browse(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say(f"no browser was found; open {url}")
