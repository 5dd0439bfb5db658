"""`cws work`: a large order at the desk of an account, worked by an algorithm."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.errors import CommandError, ExitCode, RefusedError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say
from modules.live.units import MICROS, SECOND_NS

if TYPE_CHECKING:
    from modules.live.algorithms.algorithm import Algorithm
    from modules.live.algorithms.parent import Parent
    from modules.live.risk.core import Instrument
    from modules.live.riskd.client import RiskClient
    from modules.live.riskd.config import RiskdConfig

app = command_file()


@app.command()
def work(
    side: Annotated[Literal["buy", "sell"], typer.Argument(metavar="SIDE", help="buy or sell.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="An instrument of the account, as AAPL.NASDAQ.")],
    lots: Annotated[int, typer.Argument(metavar="LOTS", min=1, help="How many lots.")],
    algorithm: Annotated[
        Literal["twap", "shortfall", "iceberg"], typer.Option("--by", help="The algorithm (docs/algorithms.md).")
    ] = "twap",
    minutes: Annotated[float, typer.Option(min=0.01, max=1_440.0, help="Time that it may take.")] = 30.0,
    slice_s: Annotated[float, typer.Option("--slice", min=0.1, help="Seconds of a slice, at most.")] = 60.0,
    style: Annotated[
        Literal["market", "take", "make"], typer.Option(help="take and make need a feed at the desk.")
    ] = "market",
    limit: Annotated[float | None, typer.Option(min=0.0, help="No child is priced beyond it.")] = None,
    display: Annotated[int, typer.Option(min=1, help="Lots that an iceberg shows.")] = 100,
    risk_aversion: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of shortfall: lambda, 1/USD.")] = 1e-6,
    spread_bps: Annotated[float, typer.Option(min=0.01, max=1_000.0, help="Of shortfall.")] = 5.0,
    leave: Annotated[
        bool, typer.Option("--leave", help="Leave what has not filled; else it crosses at the end.")
    ] = False,
    strategy: Annotated[str, typer.Option(help="Whose capital: one of the account's strategies.")] = "manual",
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live.", show_default="the only one")
    ] = None,
    json: Json = False,
) -> int:
    """Work an order through the desk that `cws live` runs and its risk core. Ctrl-C withdraws what is open.

    Every child is ruled on like any other order. Exit 1 where less was filled than was asked for.
    """
    from cli.accounts import account_folder
    from modules.live.riskd.config import load_config

    folder = account_folder(account)
    config = load_config(folder)
    instrument = _allowed(config, symbol, strategy)
    word = f"{config.mode.upper()} {config.account}"
    if config.mode == "live":
        _confirm(config.account)
    parent = _parent(config, instrument, strategy, lots if side == "buy" else -lots, minutes, limit, leave=leave)
    with closing(_listener(config, folder)) as client:
        price = next((p.price for p in client.status().positions if p.symbol == symbol), None)
        made = _algorithm(parent, instrument, algorithm, slice_s, style, display, risk_aversion, spread_bps, price)
        _run(made, client, folder, instrument, word, json=json)
    filled, total = made.children.filled, parent.total
    told = {
        "mode": config.mode, "account": config.account, "symbol": symbol, "side": side, "lots": total,
        "filled": filled, "children": len(made.children.kinds), "stopped": made.stopped, "parent": parent.parent_id,
    }  # fmt: skip
    why = f"; stopped: {made.stopped}" if made.stopped else ""
    words = f"{word}: {filled} of {total} lots {'bought' if side == 'buy' else 'sold'}{why}"
    emit(told, json, lambda out: out.print(words, markup=False))
    return ExitCode.OK if filled == total else ExitCode.FAILED


def _allowed(config: RiskdConfig, symbol: str, strategy: str) -> Instrument:
    """The instrument, where the account may trade it for this strategy by the wall clock."""
    found = next((x for x in config.traded if x.symbol == symbol), None)
    if found is None:
        names = ", ".join(x.symbol for x in config.traded[:8])
        raise RequestError(f"{symbol} is no instrument of account {config.account} ({names})", "name one of these")
    if config.clock != "wall":
        raise RefusedError(
            f"account {config.account} plays recorded data by the venue's clock", "an order is worked by the wall clock"
        )
    if strategy not in config.in_force().strategies:
        raise RefusedError(
            f"NO_CAPITAL: the risk core's limits know no strategy {strategy}",
            f"write `limits: {{strategies: {{{strategy}: USD}}}}` to the account's riskd.yaml, or give --strategy",
        )
    return found


def _confirm(account: str) -> None:
    """Real money: the account's name is typed by a human, or nothing is sent."""
    if not sys.stdin.isatty():
        raise RefusedError("LIVE needs a human at a terminal", "start it there and type the account's name")
    if typer.prompt(f"LIVE: real money. Type {account} to start", default="", show_default=False) != account:
        raise RefusedError("LIVE was not confirmed", "nothing was sent")


def _listener(config: RiskdConfig, folder: Path) -> RiskClient:
    """A viewer's connection to the risk core, through which the venue's news come. Raises RefusedError."""
    from cli.build import build_of
    from modules.live.messages import Hello
    from modules.live.place import Place
    from modules.live.riskd.client import RiskClient
    from modules.workspace import Workspace

    hello = Hello("viewer", config.mode, build_of(Workspace.here().root).name, config.account)
    try:
        return RiskClient.connect(Place(folder).riskd, hello, 5.0)
    except OSError as error:
        raise RefusedError(f"NO_RISK_CORE: {error}", f"start it: cws riskd --account {config.account}") from error


def _parent(
    config: RiskdConfig, instrument: Instrument, strategy: str, lots: int, minutes: float, limit: float | None, *,
    leave: bool,
) -> Parent:  # fmt: skip
    from modules.live.algorithms.parent import Parent
    from modules.live.orders.ids import client_id

    now = time.time_ns()
    return Parent(
        parent_id=client_id(config.account, strategy, now, instrument.symbol),
        account=config.account,
        strategy=strategy,
        symbol=instrument.symbol,
        lots=lots,
        begin_ns=now,
        end_ns=now + round(minutes * 60 * SECOND_NS),
        venues=(config.venue.name,),
        limit_micros=None if limit is None else round(limit * MICROS),
        tick_micros=max(1, round(instrument.tick * MICROS)),
        residual="leave" if leave else "cross",
    )


def _algorithm(
    parent: Parent, instrument: Instrument, name: str, slice_s: float, style: str, display: int, risk_aversion: float,
    spread_bps: float, price: float | None,
) -> Algorithm:  # fmt: skip
    from pydantic import ValidationError

    from modules.live.algorithms.settings import Ice, Shortfall, Twap, build

    common: dict[str, object] = {"slice_s": slice_s, "style": style}
    try:
        if name == "iceberg":
            return build(parent, Ice.model_validate({**common, "style": "make", "display_lots": display}))
        if name == "twap":
            return build(parent, Twap.model_validate(common))
        if price is None:
            raise RefusedError(f"nobody knows a price of {parent.symbol} yet", "wait for the venue's first mark")
        shares = price * instrument.lot_size  # impact is reckoned by the lot
        about = {
            "risk_aversion": risk_aversion, "price": shares, "sigma_day": instrument.sigma_day,
            "adv_lots": instrument.adv_lots, "spread": shares * spread_bps * 1e-4,
        }  # fmt: skip
        return build(parent, Shortfall.model_validate({**common, **about}))
    except ValidationError as error:
        raise RequestError(
            f"{name} of {parent.symbol}: {error}", "write sigma_day and adv_lots to riskd.yaml"
        ) from error


def _run(
    algorithm: Algorithm, client: RiskClient, folder: Path, instrument: Instrument, word: str, *, json: bool
) -> None:
    from modules.live.desk.client import DeskUnavailableError
    from modules.live.place import Place
    from modules.live.working.remote import Work, remote

    ended: list[str] = []

    def stop(number: int, frame: FrameType | None) -> None:
        ended.append("ended by its operator")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    parent = algorithm.parent
    if not json:
        say(f"[bold]{word}[/] works {parent.lots} lots of {parent.symbol} by {algorithm.name}; Ctrl-C withdraws it")
    try:
        with remote(Place(folder).desk) as desk:
            Work(
                algorithm, desk, client, instrument.lot_size, lambda words: None if json else say(f"{word}: {words}"),
                lambda: ended[0] if ended else None,
            ).run()  # fmt: skip
    except DeskUnavailableError as error:
        raise RefusedError(f"NO_DESK: {error}", "start the account's runner: cws live") from error
    except OSError as error:
        known = algorithm.children
        raise CommandError(
            f"{word}: the risk core is gone ({error}); {known.filled} lots are known as filled, {known.open_lots} more "
            "may be at the venue",
            "start it again: it asks the venue what it has; or stop the account: cws kill",
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
