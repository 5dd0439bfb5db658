"""A whole trading place in one process: exchange over TCP, risk core at its socket, desk with a journal, runner."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from modules.live.desk.desk import Identity
from modules.live.journal.file import FileJournal
from modules.live.risk.limits import FILE
from modules.live.riskd.config import load_config
from modules.live.riskd.server import Server
from modules.live.riskd.start import served
from modules.live.runner.account import Account
from modules.live.runner.core import Runner
from modules.live.runner.deskline import DeskLine
from modules.live.runner.live import Live
from modules.live.runner.ports import RecordedBars
from modules.live.runner.programmes import stages_in_force, trading_of
from modules.live.runner.resume import resume
from modules.live.runner.taped import Began
from modules.live.venues.sim.bars import BarMatching
from modules.live.venues.sim.client import SimVenue
from modules.live.venues.sim.server import SimExchange
from tests.modules.live.runner.market import Market, backtest, programme

BUILD = "b1"


@dataclass
class Place:
    """Where it all lies."""

    folder: Path
    market: Market
    start_ns: int
    symbols: tuple[str, ...]
    exchange: SimExchange
    server: Server


def riskd_yaml(symbols: tuple[str, ...]) -> str:
    rows = [
        {"symbol": s, "sector": f"s{i}", "sigma_day": 0.01, "adv_lots": 10**8, "located_lots": 10**6, "beta": 0.0}
        for i, s in enumerate(symbols)
    ]
    return yaml.safe_dump(
        {
            "account": "t1", "mode": "paper", "venue": {"name": "sim"}, "clock": "venue", "instruments": rows,
            "limits": {"strategies": {"reversal": 1e7}},
        }
    )  # fmt: skip


@contextmanager
def place(market: Market, start_ns: int) -> Iterator[Place]:
    """Exchange and risk core, running; everything ends and goes away with it."""
    folder = Path(tempfile.mkdtemp(prefix="cws"))  # sockets have short names only
    asked = programme(start_ns)
    bars, _ = backtest(market, asked)
    matching = BarMatching.of(bars, market.instruments, trading_of(asked), start_ns)
    (folder / "riskd.yaml").write_text(riskd_yaml(bars.symbols))
    limits = folder / "limits.yaml"  # a loaded machine may take its time to answer
    limits.write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text()) | {"deadline_ms": 1_000}))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, True)
        exchange = stack.enter_context(SimExchange(matching, "t1"))
        config = load_config(folder)
        server = stack.enter_context(
            served(folder, config, SimVenue(exchange.address, "t1"), BUILD, limits_file=limits)
        )
        thread = threading.Thread(target=server.run, name="riskd")
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.stop)
        yield Place(folder, market, start_ns, bars.symbols, exchange, server)


@contextmanager
def trading(at: Place, patience_s: float = 0.0) -> Iterator[tuple[Live, DeskLine]]:
    """A runner at a desk of the place, anew or from where the last one ended."""
    asked = programme(at.start_ns)
    with ExitStack() as stack:
        journal = stack.enter_context(FileJournal(at.folder / "desk" / "journal"))
        line = DeskLine(Identity("t1", "paper", BUILD), at.folder / "riskd.sock", journal, patience_s=patience_s)
        stack.callback(line.close)
        assert line.agree() is None
        tapes = at.folder / "tape"
        resumed = resume(tapes, "reversal")
        if resumed is None:
            report = line.report()
            account = Account(
                at.symbols,
                trading_of(asked),
                cash_micros=report.cash_micros,
                strategy="reversal",
                venue="sim",
                name="t1",
            )  # fmt: skip
            account.opened(report)
            runner = Runner(asked, account, at.market.instruments, at.market.upto(at.start_ns))
        else:
            runner = resumed.runner

        def began(runner: Runner) -> Began:
            return Began(
                "t1", "paper", "sim", "reversal", BUILD, at.symbols, None, at.start_ns, 0, stages_in_force(asked),
                runner.account.state(),
            )  # fmt: skip

        known = runner.all_records()["event_time"].to_physical().max()
        bars = RecordedBars(at.market.records, int(known))  # type: ignore[arg-type]
        session = Live(runner, line, bars, tapes, began, resumed=resumed)
        stack.callback(session.close, "left")
        yield session, line
