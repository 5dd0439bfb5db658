"""Where recorded data are played a connection that goes costs no order: time stands still until it is back."""

from __future__ import annotations

import time

import pytest

from modules.live.messages import Connection, Hello, Message
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import SOCKET
from modules.live.runner.resume import tapes
from modules.live.runner.tape import read_messages
from modules.live.runner.taped import BarDue, Decided, Outcome
from tests.modules.live.runner.market import market
from tests.modules.live.runner.place import place, trading
from tests.modules.live.runner.test_equal import assert_equal
from tests.modules.live.runner.test_tape import as_closed


@pytest.mark.slow
def test_an_exchange_that_hangs_up_costs_nothing() -> None:
    found = market(days=2, minutes=12)
    start_ns = found.labels(0)[6]
    with place(found, start_ns) as at:
        bars = 0
        seen = RiskClient.connect(at.folder / SOCKET, Hello("viewer", "paper", "", "t1"), 60.0)

        def hang_up(message: Message) -> None:
            """In the middle of each third bar, between what was heard and what is decided on it."""
            nonlocal bars
            bars += isinstance(message, BarDue)
            if isinstance(message, BarDue) and bars % 3 == 0:
                with at.exchange.lock:
                    for line in list(at.exchange._lines.values()):
                        at.exchange._hang_up(line)
                # An order that leaves before anybody noticed is lost, as it is anywhere: nobody could have held it.
                while not any(isinstance(n, Connection) and not n.is_up for n in seen.news(1.0)):
                    pass

        with trading(at, patience_s=60.0) as (session, _):
            session.heard.append(hang_up)
            began = time.monotonic()
            session.run(lambda: time.monotonic() - began > 300.0, timeout_s=0.2)
        seen.close()
        messages = [m for p in tapes(at.folder / "tape") for m in read_messages(p)]
        outcomes = [m for m in messages if isinstance(m, Outcome)]
        assert {o.status for o in outcomes} <= {"sent", "unknown"}, [o for o in outcomes if o.status != "sent"]
        assert_equal(found, [as_closed(m) for m in messages if isinstance(m, Decided)], start_ns)
        assert session.runner.account.cash_micros == at.exchange.matching.report().cash_micros
