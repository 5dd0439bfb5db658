"""`cws riskd`: the risk core of one account, in the foreground. The only process that opens its venue."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from cli.accounts import account_folder, venue_of
from cli.build import build_of
from cli.errors import RefusedError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

app = command_file()


@app.command()
def riskd(
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live holds riskd.yaml.", show_default="the only one")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Real money: you are asked to type the account's name.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Assert everything that needs no venue, then end.")] = False,
    json: Json = False,
) -> None:
    """Rule on orders and send what passes, until Ctrl-C or SIGTERM. Orders at the venue stay where they are."""
    from modules.live.riskd.config import load_config
    from modules.live.riskd.latch import Latch
    from modules.live.riskd.start import checked_limits, digest_of, log_to, served
    from modules.workspace import Workspace

    folder = account_folder(account)
    config = load_config(folder)
    if config.account != folder.name:
        raise RequestError(f"account = {config.account} in the folder {folder.name}", "give both the same name")
    build = build_of(Workspace.here().root)
    limits = checked_limits(config)
    word = config.mode.upper()
    if (config.mode == "live") != live:
        raise RefusedError(
            f"account {config.account} is {word}" + (", and --live was given" if live else " and --live was not given"),
            "mode in riskd.yaml and --live must say the same",
        )
    if live and build.dirt:
        raise RefusedError(f"LIVE: the checkout differs from what is committed: {', '.join(build.dirt[:5])}", "commit")
    state = Latch(folder).read() if Latch(folder).exists() else None
    facts = {
        "account": config.account,
        "mode": config.mode,
        "venue": config.venue.name,
        "build": build.name,
        "limits": digest_of(limits),
        "killed": state.sentence if state is not None and state.killed else None,
    }
    if check:
        emit(facts, json, lambda out: out.print("\n".join(f"{k:8} {v}" for k, v in facts.items()), markup=False))
        return
    if live:
        _confirm(config.account)
    log_to(folder, config.mode, config.account)
    with served(folder, config, venue_of(config, folder), build.name) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        signal.signal(signal.SIGINT, lambda *_: server.stop())
        emit({**facts, "ready": True}, json, lambda _out: None)
        if not json:
            say(f"[bold]{word}[/] {config.account} on {config.venue.name}, latch {facts['killed'] or 'open'}; ready")
        server.run()
        if not json:
            say(f"{word} {config.account} ended; orders at the venue stay where they are")


def _confirm(account: str) -> None:
    """Real money: the name is typed by hand, or nothing starts."""
    if not sys.stdin.isatty():
        raise RefusedError("LIVE needs a human at a terminal", "start it there and type the account's name")
    if typer.prompt(f"LIVE: real money. Type {account} to start", default="", show_default=False) != account:
        raise RefusedError("LIVE was not confirmed", "nothing was started")
