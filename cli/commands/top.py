"""`cws top`: the terminal screen of what is traded."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit

app = command_file()
FIRST_LOOK_S = 3.0


@app.command()
def top(
    account: Annotated[
        str | None, typer.Option(help="The account that is traded.", show_default="the only one")
    ] = None,
    json: Json = False,
) -> None:
    """Positions, P&L, orders, book, risk use against limits, alerts, feeds: 1 to 6 choose, a shows all, q ends it."""
    from cli.accounts import account_folder
    from modules.live.place import Place
    from modules.live.watch.alerts import Alerts
    from modules.live.watch.seen import Seen
    from modules.live.watch.watcher import Watcher, WatchThread

    watcher = Watcher(Place(account_folder(account)))
    alerts = Alerts()
    if json:
        until = time.monotonic() + FIRST_LOOK_S
        while time.monotonic() < until and (watcher.seen.status is None or watcher.seen.stand is None):
            watcher.look(0.1)
            alerts.look(watcher.seen)
        seen = watcher.seen
        watcher.close()
        from cli.top.panels import PANELS, top

        panels = {name: make(seen, alerts.standing) for name, make in PANELS}
        rows = {n: [dict(zip(p.columns, r.cells, strict=True)) for r in p.rows] for n, p in panels.items()}
        emit({"mode": seen.mode, "top": top(seen), **rows}, True, lambda _: None)
        return
    if not sys.stdout.isatty():
        raise RequestError("cws top draws on a terminal, and this is none", "give --json for one look")
    from cli.top.screen import TopScreen

    def judge(seen: Seen) -> None:
        alerts.look(seen)

    watch = WatchThread(watcher, judge)
    try:
        TopScreen(lambda: (watch.seen, alerts.standing)).run()
    finally:
        watch.close()
