"""What `cws live` opens, with a recorded run, a risk core at its socket and a venue that keeps its own books.

1. Real money beyond its level's stage is refused before anything can be ordered, on an account that just began and on
   one that goes on; within it, and of play money, nothing is refused.
2. A demotion that is proposed while it runs stops what opens, by name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cli.errors import RefusedError
from cli.livewiring import Order, opened
from cli.session import Stores
from modules.live.messages import Mode
from modules.live.riskd.config import load_config
from modules.manifest import Manifest
from modules.panel import Panel
from modules.workspace import CHECKOUT, Workspace
from supervisor.clearance import Clearance
from tests.modules.live.riskd.house import server
from tests.pipelines import Desk

pytestmark = pytest.mark.slow
STRATEGY = "a" * 64
CASH_USD = 1_000_000.0
"""What the venue says that the account holds."""


@dataclass(frozen=True)
class Found:
    """A run, and where its tables lie."""

    stores: Stores
    manifest: Manifest
    bars: Panel


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    manifest = desk.run()
    bars = desk.store.get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    return Found(Stores(Workspace(root=CHECKOUT, home=desk.home)), manifest, bars)


@contextmanager
def account(found: Found, mode: Mode) -> Iterator[Path]:
    """A risk core that runs an account of the run's instruments."""
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        place = Path(name) / "demo"
        place.mkdir()
        rows = [{"symbol": s, "sector": s} for s in found.bars.symbols]
        values = {"account": "demo", "mode": mode, "venue": {"name": "sim"}, "instruments": rows}
        (place / "riskd.yaml").write_text(yaml.safe_dump(values))
        (place / "limits.yaml").write_text("{}")
        with server(place):
            yield place


def order(found: Found, place: Path, capital_usd: float | None) -> Order:
    cleared = Clearance(STRATEGY, "micro", capital_usd, ())
    return Order(found.manifest, cleared, load_config(place), place, "b1", int(found.bars.ts[-3]))


@pytest.mark.parametrize(
    ("mode", "capital_usd", "refused"),
    [("live", CASH_USD - 1.0, True), ("live", CASH_USD, False), ("live", None, False), ("paper", 1.0, False)],
)
def test_1_real_money_beyond_its_stage(found: Found, mode: Mode, capital_usd: float | None, refused: bool) -> None:
    with account(found, mode) as place:
        for _ in range(2):  # anew, and from its tape
            if refused:
                with (
                    pytest.raises(RefusedError, match=r"^CAPITAL: the account holds 1,000,000.00 USD, at level micro"),
                    opened(found.stores, order(found, place, capital_usd), print),
                ):
                    pass
                assert not (place / "tape").exists()
                continue
            with opened(found.stores, order(found, place, capital_usd), print) as (live, line):
                assert line.desk.cancel_only is None and live.runner.account.cash_micros == CASH_USD * 1e6
                live.roll(int(found.bars.ts[-3]))


def test_1_one_that_goes_on_and_holds_more_than_it_began_with(found: Found) -> None:
    with account(found, "live") as place:
        with opened(found.stores, order(found, place, CASH_USD), print) as (live, _):
            live.roll(int(found.bars.ts[-3]))
        with (
            pytest.raises(RefusedError, match=r"^CAPITAL"),
            opened(found.stores, order(found, place, CASH_USD / 2.0), print),
        ):
            pass


def test_2_a_demotion_while_it_runs(found: Found) -> None:
    with account(found, "paper") as place, opened(found.stores, order(found, place, None), print) as (live, _):
        assert live.opens_nothing() is None
        (place / "demotion.json").write_text(
            '{"strategy": "s1", "first": "2024-01-02", "last": "2024-01-05", '
            '"measures": [{"name": "Sharpe", "holds": false}]}'
        )
        assert "DRIFTED: s1 drifted" in (live.opens_nothing() or "")
