"""The same through sockets: exchange, risk core, desk, runner.

1. Decisions, NAV and cash of two days are the backtest's, bit for bit, and the exchange ends with the same account.
2. A runner that ends in the middle, at any word, goes on to the same.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.live.messages import Message
from modules.live.risk.rules import Rule
from modules.live.runner.replay import replay
from modules.live.runner.resume import tapes
from modules.live.runner.tape import read_tape
from modules.live.runner.taped import Decided, Outcome
from tests.modules.live.runner.market import market
from tests.modules.live.runner.place import Place, place, trading
from tests.modules.live.runner.test_equal import assert_equal
from tests.modules.live.runner.test_tape import as_closed


class Cut(Exception):  # noqa: N818
    """The process ends here."""


def decided(at: Place) -> list[Decided]:
    return [f.message for p in tapes(at.folder / "tape") for f in read_tape(p) if isinstance(f.message, Decided)]


def outcomes(at: Place) -> list[Outcome]:
    return [f.message for p in tapes(at.folder / "tape") for f in read_tape(p) if isinstance(f.message, Outcome)]


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [0, 4])
def test_two_days_over_sockets_are_the_backtest(cuts: int) -> None:
    found = market(minutes=14)
    start_ns = found.labels(0)[6]
    rng = np.random.default_rng(11)
    with place(found, start_ns) as at:
        for _ in range(cuts):
            ends, said = int(rng.integers(5, 60)), 0

            def cut(_: Message, ends: int = ends) -> None:
                nonlocal said
                said += 1
                if said == ends:
                    raise Cut

            with trading(at) as (session, _), pytest.raises(Cut):
                session.heard.append(cut)
                session.run(timeout_s=5.0)
        with trading(at) as (session, line):
            session.run(timeout_s=5.0)
            held = line.desk.book.positions
        turned = [
            (o.status, Rule(o.rule or 0).name, o.limit, o.value, o.words) for o in outcomes(at) if o.status != "sent"
        ]
        assert turned == []
        assert_equal(found, [as_closed(d) for d in decided(at)], start_ns)
        assert session.runner.account.positions == held == at.exchange.matching.report().positions
        assert session.runner.account.cash_micros == at.exchange.matching.report().cash_micros
        for path in tapes(at.folder / "tape"):
            assert replay(path).differences == []
