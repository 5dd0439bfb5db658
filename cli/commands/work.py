"""`cws work`: a large order at the desk of an account, worked by an algorithm."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.errors import CommandError, ExitCode, RefusedError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say
from modules.panel import iso

if TYPE_CHECKING:
    from cli.working import Words
    from modules.live.algorithms.algorithm import Algorithm
    from modules.live.risk.core import Instrument
    from modules.live.riskd.client import RiskClient
    from modules.live.riskd.config import RiskdConfig
    from modules.live.working.kept import Kept, Shelf

app = command_file()


@app.command()
def work(
    side: Annotated[Literal["buy", "sell"], typer.Argument(metavar="SIDE", help="buy or sell.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="An instrument of the account, as AAPL.NASDAQ.")],
    lots: Annotated[int, typer.Argument(metavar="LOTS", min=1, max=10**12, help="How many lots.")],
    algorithm: Annotated[
        Literal["twap", "vwap", "pov", "shortfall", "iceberg"],
        typer.Option("--by", help="See docs/algorithms.md."),
    ] = "twap",
    minutes: Annotated[float, typer.Option(min=0.01, max=1_440.0, help="Time that it may take.")] = 30.0,
    slice_s: Annotated[float, typer.Option("--slice", min=0.1, max=86_400, help="Seconds of a slice.")] = 60.0,
    style: Annotated[
        Literal["market", "take", "make"], typer.Option(help="take and make need a feed at the desk.")
    ] = "market",
    limit: Annotated[float | None, typer.Option(min=1e-6, max=1e9, help="No child is priced beyond it.")] = None,
    display: Annotated[int, typer.Option(min=1, help="Lots that an iceberg shows.")] = 100,
    rate: Annotated[float, typer.Option(min=0.0001, max=0.5, help="Of pov: share of the market's volume.")] = 0.05,
    risk_aversion: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of shortfall: lambda, 1/USD.")] = 1e-6,
    spread_bps: Annotated[float, typer.Option(min=0.01, max=1_000.0, help="Of shortfall.")] = 5.0,
    leave: Annotated[
        bool | None,
        typer.Option("--leave/--cross", help="What has not filled at the end.", show_default="cross; pov: leave"),
    ] = None,
    strategy: Annotated[str, typer.Option(help="Whose capital: one of the account's strategies.")] = "manual",
    account: Annotated[
        str | None, typer.Option(help="Its folder below .cws/live.", show_default="the only one")
    ] = None,
    json: Json = False,
) -> int:
    """Work an order through the desk that `cws live` runs and its risk core. Ctrl-C withdraws what is open.

    Every child is ruled on like any other order. Exit 1 where less was filled than was asked for. Where it ended in
    the middle, the same words again go on with the same order.
    """
    from cli.accounts import account_folder
    from cli.working import Words
    from modules.live.riskd.config import load_config
    from modules.live.working.kept import KeptError, Shelf

    folder = account_folder(account)
    config = load_config(folder)
    instrument = _allowed(config, symbol, strategy)
    leaves = algorithm == "pov" if leave is None else leave
    words = Words(
        side, symbol, lots, algorithm, minutes, slice_s, style, limit, display, rate, risk_aversion, spread_bps,
        leaves, strategy,
    )  # fmt: skip
    if config.mode == "live":
        _confirm(config.account)
    shelf = Shelf(folder, words.as_told())
    try:
        with shelf.held() as kept:
            order = _Order(words, config, folder, instrument, shelf, is_silent=json)
            made = _worked(order, kept)
            _tell(order, made, json=json)
            shelf.drop()  # told before it is dropped: killed between, the same words tell it again and order nothing
    except KeptError as error:
        raise RefusedError(f"KEPT: {error}", "docs/algorithms.md, By hand") from error
    return ExitCode.OK if made.children.filled == made.parent.total else ExitCode.FAILED


def _tell(order: _Order, made: Algorithm, *, json: bool) -> None:
    words, filled, total = order.words, made.children.filled, made.parent.total
    told = {
        "mode": order.config.mode, "account": order.config.account, "symbol": words.symbol, "side": words.side,
        "lots": total, "filled": filled, "children": len(made.children.kinds), "stopped": made.stopped,
        "parent": made.parent.parent_id,
    }  # fmt: skip
    why = f"; stopped: {made.stopped}" if made.stopped else ""
    done = f"{order.word}: {filled} of {total} lots {'bought' if words.side == 'buy' else 'sold'}{why}"
    emit(told, json, lambda out: out.print(done, markup=False))


@dataclass(frozen=True)
class _Order:
    words: Words
    config: RiskdConfig
    folder: Path
    instrument: Instrument
    shelf: Shelf
    is_silent: bool

    @property
    def word(self) -> str:
        """PAPER or LIVE, and whose order it is."""
        return f"{self.config.mode.upper()} {self.config.account}"

    def say(self, words: str) -> None:
        """Its word before everything."""
        if not self.is_silent:
            say(f"[bold]{self.word}[/]: {words}")


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


def _worked(order: _Order, kept: Kept | None) -> Algorithm:
    """The order at its end."""
    from cli.working import algorithm_of, begun

    words, symbol = order.words, order.words.symbol
    with closing(_listener(order.config, order.folder)) as client:

        def price() -> float | None:
            return next((p.price for p in client.status().positions if p.symbol == symbol), None)

        now = time.time_ns()
        made = kept or begun(words, order.config, order.folder, order.instrument, price, now)
        algorithm = algorithm_of(made)
        how = "works" if kept is None else f"goes on since {iso(made.parent.begin_ns)} with"
        order.say(f"{how} {words.signed} lots of {symbol} by {algorithm.name}; Ctrl-C withdraws it")
        if made.parent.end_ns <= now:
            order.say("its time is over: what is open is withdrawn; ask again for a new order")
        _run(order, made, algorithm, client, is_begun=kept is not None)
    return algorithm


def _run(order: _Order, kept: Kept, algorithm: Algorithm, client: RiskClient, *, is_begun: bool) -> None:
    from msgspec.structs import replace

    from modules.live.desk.client import DeskUnavailableError
    from modules.live.place import Place
    from modules.live.working.counter import Counter
    from modules.live.working.remote import remote
    from modules.live.working.work import Work

    ended: list[str] = []

    def stop(number: int, frame: FrameType | None) -> None:
        ended.append("ended by its operator")

    def stopped(why: str) -> None:
        nonlocal kept
        kept = replace(kept, stopped=why)
        order.shelf.keep(kept)

    def counted(counter: Counter, lots: int) -> None:
        nonlocal kept
        left = counter.units - counter.left * counter.lot_size  # what is less than a lot is counted again
        kept = replace(kept, volume=kept.volume + lots, traded=left, born_ns=counter.born_ns)
        order.shelf.keep(kept)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    size = order.instrument.lot_size
    try:
        with remote(Place(order.folder).desk) as desk:
            if not is_begun:
                stand = desk.stand()
                desk.children(kept.parent)
                kept = replace(kept, traded=stand.traded.get(kept.parent.symbol, 0.0), born_ns=stand.born_ns)
                order.shelf.keep(kept)
            Work(
                algorithm, desk, client, size, order.say, lambda: ended[0] if ended else None, is_begun=is_begun,
                stopped=stopped,
                counter=Counter(kept.parent.symbol, size, kept.born_ns, kept.traded, kept=counted)
                if order.words.algorithm == "pov" else None,
            ).run()  # fmt: skip
    except DeskUnavailableError as error:
        raise RefusedError(
            f"NO_DESK: {error}",
            f"start the account's runner (cws live){', and this again: it goes on' if is_begun else ''}",
        ) from error
    except OSError as error:
        known = algorithm.children
        raise CommandError(
            f"{order.word}: the risk core is gone ({error}); {known.filled} lots are known as filled, "
            f"{known.open_lots} more may be at the venue",
            "start the risk core and this again: it goes on; or stop the account: cws kill",
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
