"""`cws drift`: is what an account trades still what was promoted? Beyond a limit its demotion is proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from rich.console import Console

    from modules.live.runner.drift import Drift

app = command_file()


@app.command()
def drift(
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live.", show_default="the only one")
    ] = None,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="Take a proposed demotion back; needs --reason.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="'NAME <MAIL>'", help="The human who decides.", show_default="git's user")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it may go on.")] = "",
    json: Json = False,
) -> int:
    """Live against the backtest of the same days: daily P&L, Sharpe, fill rate, slippage. Exit 1 beyond a limit.

    Beyond a limit a demotion is proposed: `cws live` trades the account no further until a human dismissed it.
    """
    from cli.accounts import account_folder
    from modules.live.place import Place
    from supervisor.demotion import dismiss as take_back
    from supervisor.demotion import propose

    folder = account_folder(account)
    if dismiss:
        from harness.repository import Repository
        from modules.workspace import Workspace
        from supervisor.review import human_of

        if not reason.strip():
            raise RequestError("--dismiss lets an account go on without saying why", "give --reason TEXT")
        taken = take_back(folder, str(human_of(Repository(Workspace.here().root), by)), reason)
        emit({"dismissed": taken}, json, lambda out: out.print("dismissed" if taken else "nothing was proposed"))
        return ExitCode.OK
    from modules.live.runner.drift import drift as compare

    with working("comparing"):
        found = compare(Place(folder).tape)
    if found is None:
        raise RequestError(f"account {folder.name} has not traded a day", "`cws live` records one a day")
    if not found.holds:
        propose(folder, found)
    emit(_json(found), json, lambda out: _show(out, folder.name, found))
    if not found.holds and not json:
        say(f"demotion of {found.strategy} is proposed; [bold]cws live[/] trades it no further (cws drift --dismiss)")
    return ExitCode.OK if found.holds else ExitCode.FAILED


def _json(found: Drift) -> dict[str, object]:
    """The stable fields of `cws drift --json`."""
    from supervisor.demotion import measured

    return {
        "strategy": found.strategy,
        "first": found.first,
        "last": found.last,
        "days": found.days,
        "holds": found.holds,
        "measures": measured(found),
    }


def _show(out: Console, account: str, found: Drift) -> None:
    out.print(f"{account} {found.strategy}: {found.days} days, {found.first} to {found.last}", markup=False)
    for measure in found.measures:
        out.print(f"  {measure.sentence}", markup=False, soft_wrap=True)
