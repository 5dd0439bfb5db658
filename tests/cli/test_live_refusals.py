"""What `cws live` refuses, each at the function that refuses: beside the whole way in `test_live.py`.

1. The risk core: none, another build or mode, killed, no capital for the strategy; else nothing.
2. Real money beyond its level's stage, positions at their last close, at every start; play money has none.
3. Book and venue that do not agree, and records that are too old for a live market.
4. LIVE is confirmed by a human at a terminal, by the account's name and nothing else.
5. A demotion is a reason while it is proposed.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import pytest
import yaml

from cli.commands.live import _confirm
from cli.errors import RefusedError
from cli.livewiring import Order, _agree, check_capital, check_risk_core, drifted, market_of
from modules.live.desk.desk import Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Mode, Report
from modules.live.riskd.config import SOCKET, load_config
from modules.live.runner.account import Account
from modules.live.runner.core import Runner
from modules.live.runner.deskline import DeskLine
from modules.live.runner.live import Live
from modules.live.runner.programmes import trading_of
from modules.manifest import Manifest
from modules.promotion import Level
from supervisor.clearance import Clearance
from tests.modules.live.riskd.house import KILLER, client, folder, server
from tests.modules.live.runner.market import Market, market, programme

STRATEGY = "a" * 64


def order(
    place: Path, build: str = "b1", mode: Mode = "paper", usd: float | None = None, level: Level = "paper"
) -> Order:
    """A cleared order at the account of a folder."""
    config = load_config(place).model_copy(update={"mode": mode})
    return Order(cast(Manifest, None), Clearance(STRATEGY, level, usd, ()), config, place, build, 0)


def with_capital(place: Path, strategy: str) -> None:
    path = place / "riskd.yaml"
    held = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**held, "limits": {"strategies": {strategy: 1e5}}}))


def test_1_the_risk_core() -> None:
    with folder() as place:
        with pytest.raises(RefusedError, match=r"^NO_RISK_CORE"):
            check_risk_core(order(place))
        with server(place):
            with pytest.raises(RefusedError, match=r"^NO_CAPITAL.*saaaaaaaaaaaa"):
                check_risk_core(order(place))
            with_capital(place, "saaaaaaaaaaaa")
            check_risk_core(order(place))
            for other in (order(place, build="b2"), order(place, mode="live")):
                with pytest.raises(RefusedError, match=r"^OTHER_BUILD.*b1 in mode paper"):
                    check_risk_core(other)
            with client(place, KILLER) as one:
                one.kill("Ada", "enough")
            with pytest.raises(RefusedError, match=r"^KILLED.*enough"):
                check_risk_core(order(place))


@pytest.fixture(scope="module")
def found() -> Market:
    return market(days=1, minutes=8)


def runner_of(found: Market) -> Runner:
    asked = programme(found.labels(0)[4])
    symbols = tuple(sorted(found.instruments["symbol"].unique().to_list()))
    account = Account(symbols, trading_of(asked), cash_micros=0, strategy="s", venue="sim", name="demo")
    return Runner(asked, account, found.instruments, found.records)


@pytest.mark.parametrize(
    ("mode", "stage_usd", "cash_usd", "lots", "refused"),
    [
        ("live", 10_000.0, 10_000.0, 0, False),
        ("live", 10_000.0, 10_000.01, 0, True),
        ("live", 10_000.0, 9_000.0, 100, True),  # what is held counts: the account began long ago
        ("live", 10_000.0, 11_000.0, -100, False),  # the proceeds of a short sale are no capital
        ("live", None, 1e9, 0, False),
        ("paper", 10_000.0, 1e9, 0, False),
    ],
)
def test_2_staged_capital(
    found: Market, mode: Mode, stage_usd: float | None, cash_usd: float, lots: int, refused: bool
) -> None:
    runner = runner_of(found)
    symbol = runner.account.symbols[0]  # about 20 USD
    report = Report("sim", (), {symbol: lots}, round(cash_usd * 1e6), True, 1)
    with folder() as place:
        asked = order(place, mode=mode, usd=stage_usd, level="micro")
        if not refused:
            check_capital(asked, report, runner)
            return
        with pytest.raises(RefusedError, match=r"^CAPITAL.*at level micro it may hold 10,000"):
            check_capital(asked, report, runner)


def test_3_book_and_venue_do_not_agree() -> None:
    with folder() as place, FileJournal(place / "desk") as journal:
        line = DeskLine(Identity("demo", "paper", "b1"), place / SOCKET, journal)
        with pytest.raises(RefusedError, match=r"^NOT_RECONCILED: .*riskd"):
            _agree(line)
        line.close()


def test_3_records_that_are_too_old(found: Market) -> None:
    live = Live(runner_of(found), None, None, Path("unused"), None)  # type: ignore[arg-type]  # it gets no further
    with (
        folder() as place,
        pytest.raises(RefusedError, match=r"^OLD_HISTORY: the run's records end \d+ days ago, more than 4"),
        market_of(order(place), live, None),  # type: ignore[arg-type]
    ):
        pass


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "refused"),
    [
        (io.StringIO("demo\n"), "needs a human at a terminal"),
        (Terminal("Demo\n"), "not confirmed"),
        (Terminal("yes\n"), "not confirmed"),
        (Terminal("\n"), "not confirmed"),
        (Terminal("demo\n"), None),
    ],
)
def test_4_real_money_is_confirmed(monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO, refused: str | None) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    with folder() as place:
        if refused is None:
            _confirm(order(place, mode="live"))
            return
        with pytest.raises(RefusedError, match=refused):
            _confirm(order(place, mode="live"))


def test_5_a_demotion() -> None:
    with folder() as place:
        assert drifted(place) is None
        (place / "demotion.json").write_text(
            '{"strategy": "s1", "first": "2024-01-02", "last": "2024-01-05", '
            '"measures": [{"name": "Sharpe", "holds": false}]}'
        )
        assert "DRIFTED: s1 drifted" in (drifted(place) or "") and "cws drift --dismiss" in (drifted(place) or "")
