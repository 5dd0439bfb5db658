"""`cws kill`: stop an account at once, whatever runs or does not; and let it trade again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.accounts import account_folder, venue_of
from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from rich.console import Console

    from modules.live.riskd.killing import Killed

app = command_file()


@app.command()
def kill(
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who. --reset wants a human, 'NAME <MAIL>'.")],
    account: Annotated[str | None, typer.Option(help="Which account.", show_default="the only one")] = None,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close every position too.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Open the latch; take the account as the venue has it.")
    ] = False,
    wait: Annotated[float, typer.Option(min=0.0, max=3600.0, help="Seconds to wait for the venue.")] = 20.0,
    json: Json = False,
) -> int:
    """Latch the kill switch and cancel everything. It stays latched, over restarts, until --reset.

    Needs no runner, no desk and no risk core: one that does not answer is ended, and the venue opened here. Exit 1
    where something is still open.
    """
    if not reason.strip() or not by.strip():
        raise RequestError("--by and --reason are empty", "say who and why")
    folder = account_folder(account)
    if reset:
        if flatten:
            raise RequestError("--reset goes without --flatten", "give one of them")
        _reset(folder, by, reason, json=json)
        return ExitCode.OK
    from modules.live.riskd.killing import kill as end

    done = end(folder, by, reason, flatten=flatten, open_venue=venue_of, wait_s=wait)
    facts = {
        "account": folder.name,
        "latched": done.latched,
        "by_riskd": done.by_riskd,
        "ended_process": done.ended,
        "clear": done.clear,
        "open_orders": list(done.open_orders),
        "positions": done.positions,
        "trouble": done.trouble,
    }
    emit(facts, json, lambda out: _show(out, folder.name, done, flatten=flatten))
    return ExitCode.OK if done.latched and done.clear else ExitCode.FAILED


def _show(out: Console, account: str, done: Killed, *, flatten: bool) -> None:
    out.print(f"{account}: {'latched' if done.latched else 'NOT LATCHED'}, {'clear' if done.clear else 'NOT CLEAR'}")
    who = "the running risk core" if done.by_riskd else "this command; no risk core answered"
    out.print(f"cancelled by {who}" + (f", process {done.ended} was ended" if done.ended else ""))
    for name in done.open_orders[:20]:
        out.print(f"still open: {name}", markup=False)
    for symbol, lots in done.positions.items():
        out.print(f"{'still held' if flatten else 'held'}: {symbol} {lots}", markup=False)
    for sentence in done.trouble:
        say(sentence)


def _reset(folder: Path, by: str, reason: str, *, json: bool) -> None:
    from harness.repository import Repository
    from modules.live.riskd.killing import reset
    from modules.workspace import Workspace
    from supervisor.review import human_of

    human = human_of(Repository(Workspace.here().root), by)
    status = reset(folder, str(human), reason)
    facts = {
        "account": folder.name,
        "by": str(human),
        "reason": reason,
        "riskd": status is not None,
        "refusing": status.refusing if status is not None else None,
    }
    emit(facts, json, lambda out: out.print(f"{folder.name}: open again, by {human}", markup=False))
