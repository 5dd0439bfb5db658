"""`cws live`: a promoted run's strategy at the desk of an account, by a live clock."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.errors import RefusedError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from cli.livewiring import Order
    from cli.session import Session, Stores
    from modules.live.messages import Message

app = command_file()


@app.command()
def live(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    venue: Annotated[
        Literal["paper", "sim", "alpaca", "ib", "ccxt", "fix"], typer.Option(help="Must be the account's own venue.")
    ],
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live holds riskd.yaml.", show_default="the only one")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="First bar that may trade, ISO, UTC.", show_default="run's")
    ] = None,
    history: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Bars from the run's end up to now, for a live market.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would refuse it; connect to nothing.")] = False,
    json: Json = False,
) -> None:
    """Trade a promoted run, until Ctrl-C or the end of recorded data. Exit 3 where it may not, with each reason.

    Needs, in this order: a clean tree, reviewed; the strategy's promotion in it; code that gives the run's bits; a
    current certificate; a risk core of the same build (`cws riskd`); an account that agrees with the venue.
    """
    from cli.livewiring import check_risk_core
    from cli.session import session

    with session() as s:
        order = _order(s, run, venue, account, since, tuple(history or ()))
        word = f"{order.mode.upper()} {order.config.account}"
        _refuse(order, word)
        if check:
            emit(_facts(order), json, lambda out: out.print(f"{word}: nothing refuses {order.strategy}", markup=False))
            return
        if order.mode == "live":
            _confirm(order)
        check_risk_core(order)
        _trade(s, order, word, json=json)


def _order(
    s: Session, run: str, venue: str, account: str | None, since: str | None, history: tuple[Path, ...]
) -> Order:
    from cli.accounts import account_folder
    from cli.build import build_of
    from cli.livewiring import Order
    from modules.live.riskd.config import load_config
    from modules.panel import ns
    from modules.task import load_pipeline
    from supervisor.clearance import clear

    folder = account_folder(account)
    config = load_config(folder)
    if config.venue.name != venue:
        raise RequestError(
            f"--venue {venue}, and account {config.account} trades at {config.venue.name}", "say the same"
        )
    if history and config.clock == "venue":
        raise RequestError("--history, and the venue plays recorded data, which are all there", "leave it out")
    manifest = s.manifests.load(run)
    try:
        since_ns = manifest.task.start_ns if since is None else max(manifest.task.start_ns, ns(since))
    except ValueError as error:
        raise RequestError(f"--since: {error}", "write 2023-01-09 or 2023-01-09T14:30:00") from error
    spec = load_pipeline(s.workspace.root / "pipeline.yaml").promotion
    cleared = clear(s.workspace, manifest, spec, s.emit, real_money=config.mode == "live")
    return Order(manifest, cleared, config, folder, build_of(s.workspace.root).name, since_ns, history)


def _refuse(order: Order, word: str) -> None:
    from cli.livewiring import drifted

    problems = [str(p) for p in order.clearance.problems]
    demotion = drifted(order.folder)
    if demotion is not None:
        problems.append(demotion)
    if problems:
        shown = "".join(f"\n  - {p}" for p in problems)
        raise RefusedError(f"{word} does not trade run {order.manifest.run_id}:{shown}", "nothing was connected to")


def _confirm(order: Order) -> None:
    """Real money: the account's name is typed by a human, or nothing starts."""
    account = order.config.account
    if not sys.stdin.isatty():
        raise RefusedError("LIVE needs a human at a terminal", "start it there and type the account's name")
    if typer.prompt(f"LIVE: real money. Type {account} to start", default="", show_default=False) != account:
        raise RefusedError("LIVE was not confirmed", "nothing was started")


def _trade(s: Stores, order: Order, word: str, *, json: bool) -> None:
    from cli.livewiring import market_of, opened
    from modules.live.runner.taped import Decided
    from modules.panel import iso

    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    bars = orders = 0

    def heard(message: Message) -> None:
        nonlocal bars, orders
        if isinstance(message, Decided):
            bars, orders = bars + 1, orders + len(message.tickets)
            if message.tickets and not json:
                nav = message.nav_micros / 1e6
                say(f"{word} {iso(message.ts_ns)}: {len(message.tickets)} orders, NAV {nav:,.2f} USD")

    with opened(s, order, lambda text: say(f"{word}: {text}")) as (runner, line):
        runner.heard.append(heard)
        if not json:
            say(f"[bold]{word}[/] trades {order.strategy} at level {order.clearance.level}; Ctrl-C ends it")
        if order.config.clock == "venue":
            runner.run(lambda: stopped)
        else:
            with market_of(order, runner, line) as market:
                runner.follow(market, lambda: stopped)
        account = runner.runner.account
        ended = {**_facts(order), "bars": bars, "orders": orders, "nav_micros": account.nav_micros,
                 "cash_micros": account.cash_micros, "positions": account.positions}  # fmt: skip
    emit(ended, json, lambda out: out.print(f"{word} ended after {bars} bars, {orders} orders; NAV "
         f"{account.nav_micros / 1e6:,.2f} USD", markup=False))  # fmt: skip


def _facts(order: Order) -> dict[str, object]:
    return {
        "mode": order.mode,
        "account": order.config.account,
        "venue": order.config.venue.name,
        "run_id": order.manifest.run_id,
        "strategy": order.strategy,
        "level": order.clearance.level,
        "build": order.build,
    }
