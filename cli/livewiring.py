"""A run's strategy at the desk of an account: what must hold first, then the parts wired to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import RefusedError, RequestError
from modules.live.units import DAY_NS

if TYPE_CHECKING:
    import polars as pl

    from cli.session import Stores
    from modules.live.feeds.station import Station
    from modules.live.messages import Mode, Report
    from modules.live.riskd.config import RiskdConfig
    from modules.live.runner.core import Runner
    from modules.live.runner.decide import Programme
    from modules.live.runner.deskline import DeskLine
    from modules.live.runner.live import Live
    from modules.live.runner.ports import Market
    from modules.live.runner.taped import Began
    from modules.manifest import Manifest
    from supervisor.clearance import Clearance

Say = Callable[[str], None]
PATIENCE_S = 60.0
"""How long a played day waits for a connection that went."""
SHOWN_S = 0.25
"""How often viewers are told of feeds and books."""

MOST_GAP_NS = 4 * DAY_NS
"""A long weekend: how old the newest record may be where a live market goes on from it."""


@dataclass(frozen=True)
class Order:
    """What is to be traded, where, by whose leave. `since_ns`: the first bar that may trade; `history`: files of the
    bars between the run's last one and now."""

    manifest: Manifest
    clearance: Clearance
    config: RiskdConfig
    folder: Path
    build: str
    since_ns: int
    history: tuple[Path, ...] = ()

    @property
    def mode(self) -> Mode:
        """paper or live."""
        return self.config.mode

    @property
    def strategy(self) -> str:
        """Its name at risk core and desk."""
        return self.clearance.name


def programme_of_run(order: Order) -> Programme:
    """The modules of a run with the settings that it recorded. Raises RegistryError."""
    from modules.live.runner.decide import Programme
    from modules.replay import recorded_modules

    task = order.manifest.task
    return Programme(order.strategy, recorded_modules(order.manifest), order.since_ns, task.seed, task.symbols)


def check_risk_core(order: Order) -> None:
    """The risk core answers, with this build and mode, and lets this strategy trade. Raises RefusedError."""
    from modules.live.messages import Hello
    from modules.live.place import Place
    from modules.live.riskd.client import RiskClient

    account = order.config.account
    hello = Hello("viewer", order.mode, order.build, account)
    try:
        client = RiskClient.connect(Place(order.folder).riskd, hello, 5.0)
    except OSError as error:
        raise RefusedError(f"NO_RISK_CORE: {error}", f"start it: cws riskd --account {account}") from error
    try:
        welcome, status = client.welcome, client.status()
    except OSError as error:
        raise RefusedError(f"NO_RISK_CORE: {error}", f"start it again: cws riskd --account {account}") from error
    finally:
        client.close()
    if (welcome.build, welcome.mode) != (order.build, order.mode):
        raise RefusedError(
            f"OTHER_BUILD: the risk core runs build {welcome.build[:12]} in mode {welcome.mode}, this is "
            f"{order.build[:12]} in mode {order.mode}",
            "start the risk core again from this checkout",
        )
    if status.killed is not None:
        raise RefusedError(f"KILLED: {status.killed}", "a human resets it: cws kill --reset --by NAME --reason TEXT")
    if order.strategy not in order.config.in_force().strategies:
        raise RefusedError(
            f"NO_CAPITAL: the risk core's limits know no strategy {order.strategy}",
            f"write `limits: {{strategies: {{{order.strategy}: USD}}}}` to {order.folder / 'riskd.yaml'}",
        )


def drifted(folder: Path) -> str | None:
    """Why a demotion stops the account, with the remedy; None = none is proposed."""
    from supervisor.demotion import proposed

    why = proposed(folder)
    return None if why is None else f"DRIFTED: {why}; a human dismisses it: cws drift --dismiss --reason TEXT"


def check_capital(order: Order, report: Report, runner: Runner) -> None:
    """Real money stays within its level's stage, gains counted as well. Raises RefusedError."""
    cleared = order.clearance
    if cleared.capital_usd is None or order.mode != "live":
        return
    holds = report.cash_micros / 1e6 + _worth(report.positions, runner)
    if holds > cleared.capital_usd:
        raise RefusedError(
            f"CAPITAL: the account holds {holds:,.2f} USD, at level {cleared.level} it may hold "
            f"{cleared.capital_usd:,.0f}",
            "take the rest out of the account, or promote the strategy",
        )


def _worth(positions: dict[str, int], runner: Runner) -> float:
    """Positions in USD at the last close that is known; without any they count nothing."""
    import polars as pl

    closes = runner.all_records().drop_nulls("close").sort("event_time", "available_at")
    prices = dict(closes.group_by("symbol").agg(pl.col("close").last()).iter_rows())
    sizes = dict(runner.instruments.group_by("symbol").agg(pl.col("lot_size").last()).iter_rows())
    return float(sum(lots * sizes.get(s, 1.0) * prices.get(s, 0.0) for s, lots in positions.items() if lots))


@contextmanager
def opened(stores: Stores, order: Order, say: Say) -> Iterator[tuple[Live, DeskLine]]:
    """The runner at its desk, reconciled. Raises RefusedError where the venue has it otherwise, ResumeError."""
    from modules.live.desk.collector import calm_collector
    from modules.live.desk.control import Control
    from modules.live.desk.desk import Identity
    from modules.live.journal.opening import open_journal
    from modules.live.place import Place
    from modules.live.runner.deskline import DeskLine
    from modules.live.runner.live import Live
    from modules.live.runner.ports import RecordedBars
    from modules.live.runner.resume import resume

    programme, account, place = programme_of_run(order), order.config.account, Place(order.folder)
    records, instruments = (_table(stores, order.manifest, name) for name in ("records", "instruments"))
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(place.journal, f"{account}-desk", order.config.journal))
        patience = PATIENCE_S if order.config.clock == "venue" else 0.0
        line = DeskLine(Identity(account, order.mode, order.build), place.riskd, journal, say, patience)
        stack.callback(line.close)
        _agree(line)
        line.control = Control(place.desk, line.desk)
        resumed = resume(place.tape, order.strategy)
        runner = resumed.runner if resumed is not None else _fresh(order, programme, line, records, instruments)
        if order.history:
            _learn(order, programme, runner, None if resumed is None else resumed.path.stem)
        check_capital(order, line.report(), runner)
        bars = RecordedBars(records, _last_label(runner.all_records(), order.since_ns - 1))
        live = Live(runner, line, bars, place.tape, began_by(order, programme), say=say, resumed=resumed)
        live.opens_nothing = lambda: drifted(order.folder)
        show_to(live, line)
        stack.callback(live.close, "ended by its operator")
        calm_collector()
        yield live, line


@contextmanager
def market_of(order: Order, live: Live, line: DeskLine) -> Iterator[Market]:
    """The account's feeds, taped, with closed bars out of them. Raises FeedError, RefusedError for old history."""
    import time

    import polars as pl

    from modules.engine.exchange.events import Instrument
    from modules.live.feeds.opening import CONFIG, load_feeds
    from modules.live.feeds.station import open_station

    records = live.runner.all_records()
    known, now = records["available_at"].to_physical().max(), time.time_ns()
    age_ns = now - known if isinstance(known, int) else now
    if age_ns > MOST_GAP_NS:
        raise RefusedError(
            f"OLD_HISTORY: the run's records end {age_ns // DAY_NS} days ago, more than {MOST_GAP_NS // DAY_NS} are "
            "refused: signals would be made of bars that are not there",
            "give the bars since then: --history FILE, in the layout of the run's data set",
        )
    table = live.runner.instruments.group_by("symbol").agg(pl.col("tick_size").last(), pl.col("lot_size").last())
    held = {s: (t, n) for s, t, n in table.select("symbol", "tick_size", "lot_size").iter_rows()}
    traded = [Instrument(s, *held[s]) for s in live.runner.account.symbols if s in held]
    station = open_station(load_feeds(order.folder / CONFIG), traded, records, heard=live.feed_heard)
    live.bars = station
    try:
        _show_market(station, line)
        yield station
    finally:
        station.close()


def _show_market(station: Station, line: DeskLine) -> None:
    """Tell viewers of the desk which feeds stall and what the books are, four times a second."""
    import time

    from modules.live.runner.shown import books_shown

    told_at = float("-inf")

    def show() -> None:
        nonlocal told_at
        if line.control is not None and time.monotonic() - told_at >= SHOWN_S:
            told_at = time.monotonic()
            line.control.feeds, line.control.books = station.stalled(), books_shown(station.market)
            line.control.opened_ns = station.opened_ns()
            line.control.traded = station.market.traded

    station.after_poll.append(show)


def _agree(line: DeskLine) -> None:
    why = line.agree()
    if why is not None:
        raise RefusedError(
            f"NOT_RECONCILED: {why}", "mend what the sentence names at the venue or in the account, then start again"
        )


def _fresh(
    order: Order, programme: Programme, line: DeskLine, records: pl.DataFrame, instruments: pl.DataFrame
) -> Runner:
    """A runner that begins with what the venue has."""
    import polars as pl

    from modules.live.runner.account import Account
    from modules.live.runner.core import Runner
    from modules.live.runner.programmes import trading_of

    report, chosen = line.report(), order.manifest.task.symbols
    symbols = tuple(s for s in sorted(instruments["symbol"].unique().to_list()) if chosen is None or s in chosen)
    account = Account(
        symbols, trading_of(programme), cash_micros=report.cash_micros, strategy=order.strategy,
        venue=order.config.venue.name, name=order.config.account,
    )  # fmt: skip
    account.opened(report)
    if order.config.clock == "venue":  # the rest is still to be played
        records = records.filter(pl.col("event_time").to_physical() < order.since_ns)
    return Runner(programme, account, instruments, records)


def _learn(order: Order, programme: Programme, runner: Runner, day: str | None) -> None:
    """Bars that a run may not hold and a market that is live needs. `day`: of the tape that the runner goes on from."""
    import time

    from modules.ingest.newest import newest_records
    from modules.panel import iso

    now = time.time_ns()
    if day == iso(now)[:10]:
        raise RequestError("--history: the runner goes on from today's tape, which has its bars", "leave it out")
    runner.known(newest_records(programme.modules["ingest"], order.history, runner.all_records(), now))


def began_by(order: Order, programme: Programme) -> Callable[[Runner], Began]:
    """What each tape begins with."""
    from modules.live.runner.programmes import stages_in_force
    from modules.live.runner.taped import Began

    def began(runner: Runner) -> Began:
        return Began(
            account=order.config.account, mode=order.mode, venue=order.config.venue.name, strategy=order.strategy,
            build=order.build, symbols=runner.account.symbols, chosen=programme.symbols, start_ns=programme.start_ns,
            seed=programme.seed, stages=stages_in_force(programme), state=runner.account.state(),
            level=order.clearance.level, clock=order.config.clock,
        )  # fmt: skip

    return began


def show_to(live: Live, line: DeskLine) -> None:
    """Put the latest targets where viewers of the desk see them."""
    from modules.live.desk.asking import Decided, Wanted
    from modules.live.runner.account import BarClosed

    def shown(made: BarClosed) -> None:
        if line.control is None or made.targets is None:
            return
        held = live.runner.account.positions
        asked = {d.symbol: d.allowed for d in made.decisions}
        wanted = tuple(
            Wanted(symbol, None, float(weight), held.get(symbol, 0) + asked.get(symbol, 0))
            for symbol, weight in zip(made.targets.bars.symbols, made.targets.weights, strict=True)
        )
        name = live.runner.account.strategy
        line.control.decided[name] = Decided(name, made.ts_ns, wanted)

    live.shown = shown


def _last_label(records: pl.DataFrame, default: int) -> int:
    found = records["event_time"].to_physical().max()
    return int(found) if isinstance(found, int) else default


def _table(stores: Stores, manifest: Manifest, name: str) -> pl.DataFrame:
    import polars as pl

    table = stores.artifacts.get(manifest.output(name))
    assert isinstance(table, pl.DataFrame), f"{name} is a table"
    return table
