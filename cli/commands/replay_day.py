"""`cws replay-day`: a trading day again from its tape, every decision and order compared bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from supervisor.daywatch import DayReplayed

app = command_file()

SHOWN = 20


@app.command("replay-day")
def replay_day(
    day: Annotated[str, typer.Argument(metavar="DAY", help="2023-01-09, or `last`.")] = "last",
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live.", show_default="the only one")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="Decide with the code and settings of another commit.")
    ] = None,
    json: Json = False,
) -> int:
    """Make a day again from its tape and compare. Exit 1 where anything was decided otherwise.

    The account follows what was recorded, so each difference stands for itself. With --candidate the day is decided by
    that commit's modules, in a process and a tree of its own.
    """
    from cli.accounts import account_folder
    from modules.live.place import Place
    from modules.workspace import Workspace
    from supervisor.daywatch import replayed, tape_of

    folder = Place(account_folder(account)).tape
    path = tape_of(folder, day)
    if path is None:
        raise RequestError(f"there is no tape of {day} in {folder}", "`cws live` records one a day")
    with working("replaying"):
        found = replayed(Workspace.here(), path, candidate)
    emit(_json(found), json, lambda out: _show(out, found))
    return ExitCode.FAILED if found.differences else ExitCode.OK


def _json(found: DayReplayed) -> dict[str, object]:
    """The stable fields of `cws replay-day --json`."""
    return {
        "day": found.day,
        "mode": found.began.mode,
        "account": found.began.account,
        "strategy": found.began.strategy,
        "candidate": found.candidate,
        "bars": found.bars,
        "orders": found.orders,
        "market_events": found.events,
        "equal": not found.differences,
        "edited": list(found.edited),
        "first_difference": found.differences[0].sentence if found.differences else None,
        "differences": [
            {"ts_ns": d.ts_ns, "what": d.what, "recorded": d.recorded, "found": d.found} for d in found.differences
        ],
    }


def _show(out: Console, found: DayReplayed) -> None:
    word = f"{found.began.mode.upper()} {found.began.account} {found.day}: {found.bars} bars, {found.orders} orders"
    against = f" by {found.candidate}" if found.candidate else ""
    if not found.differences:
        out.print(f"{word}{against}: equal to the last bit", markup=False)
        return
    out.print(f"{word}{against}: {len(found.differences)} differences; first:", markup=False)
    for difference in found.differences[:SHOWN]:
        out.print(f"  {difference.sentence}", markup=False, soft_wrap=True)
    if len(found.differences) > SHOWN:
        out.print(f"  and {len(found.differences) - SHOWN} more; --json lists all", markup=False)
    if found.edited:
        out.print(f"other code: {', '.join(found.edited)}", markup=False)
