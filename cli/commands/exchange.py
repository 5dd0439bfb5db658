"""`cws exchange`: the simulated exchange, on the bars of a recorded run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from modules.artifacts import ArtifactStore
    from modules.live.venues.sim.bars import BarMatching
    from modules.live.venues.sim.server import SimExchange
    from modules.manifest import Manifest

app = command_file()


@app.command()
def exchange(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    account: Annotated[str, typer.Option(help="The account that is served.")] = "sim",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of 127.0.0.1; 0 takes any free one.")] = 0,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="First bar traded, ISO date or time, UTC.", show_default="run's")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="No bar at or after this time.", show_default="run's last bar")
    ] = None,
    pace: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="Play a bar each so many seconds; else when told.")
    ] = None,
    json: Json = False,
) -> None:
    """Play a run's bars as an exchange: its costs, its fills, over TCP, until Ctrl-C. PAPER: no order goes further.

    A bar begins when the account's desk has said that nothing more is ordered at the last one, or by --pace. The
    account begins in cash, and lives as long as this process.
    """
    from cli.session import stores
    from modules.live.venues.sim.server import SimExchange
    from modules.live.venues.sim.warming import warm
    from modules.panel import iso

    s = stores()
    manifest = s.manifests.load(run)
    matching = matching_of(manifest, s.artifacts, _moment("since", since), _moment("until", until))
    with working("compiling"):
        warm()
    try:
        server = SimExchange(matching, account, port=port, pace_s=pace)
    except OSError as error:
        raise CommandError(f"127.0.0.1:{port} cannot be used: {error.strerror}", "give another --port") from error
    bars, start = matching.run.bars, matching.run.start
    found = {
        "host": server.address[0],
        "port": server.address[1],
        "account": account,
        "run_id": manifest.run_id,
        "bars": int(bars.ts.size) - start,
        "symbols": list(bars.symbols),
        "first": iso(int(bars.ts[start])),
        "last": iso(int(bars.ts[-1])),
    }
    emit(found, json, lambda out: out.print(_words(found), markup=False, soft_wrap=True))
    _serve_until_told(server)
    say(f"ended; NAV {matching.nav_micros / 1e6:,.2f} USD")


def _words(found: dict[str, object]) -> str:
    return (
        f"PAPER: account {found['account']} at {found['host']}:{found['port']}, {found['bars']} bars of run "
        f"{found['run_id']}, {found['first']} to {found['last']}; Ctrl-C ends it"
    )


def _serve_until_told(server: SimExchange) -> None:
    """Serve until Ctrl-C, or the signal that asks a process to end."""
    import signal
    import sys
    from types import FrameType

    def stop(number: int, frame: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sys.stdout.flush()
    server.serve()


def _moment(option: str, text: str | None) -> int | None:
    """An ISO date or time as ns UTC. Raises RequestError."""
    from modules.panel import ns

    try:
        return None if text is None else ns(text)
    except ValueError as error:
        raise RequestError(f"--{option}: {error}", "write 2023-01-09 or 2023-01-09T14:30:00") from error


def matching_of(
    manifest: Manifest, artifacts: ArtifactStore, since_ns: int | None = None, until_ns: int | None = None
) -> BarMatching:
    """The exchange on which a run's account was kept, from `since_ns` on and before `until_ns`.

    Raises RunError for a run without bars or whose account is of another kind, EngineError where no bar is left.
    """
    import numpy as np
    import polars as pl

    from modules.engine.settings import TradingSettings
    from modules.live.venues.sim.bars import BarMatching
    from modules.manifest import RunError
    from modules.panel import Panel
    from modules.replay import recorded_modules

    bars, instruments = (artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "bars are a panel, instruments a table"
    execute = recorded_modules(manifest)["execute"]
    if not isinstance(execute.settings, TradingSettings):
        raise RunError(f"run {manifest.run_id} was executed by {execute.name}, whose account is no bar account")
    if until_ns is not None:
        rows = int(np.searchsorted(bars.ts, until_ns, side="left"))
        bars = Panel(bars.ts[:rows], bars.symbols, {name: values[:rows] for name, values in bars.fields.items()})
    return BarMatching.of(bars, instruments, execute.settings, max(manifest.task.start_ns, since_ns or 0))
