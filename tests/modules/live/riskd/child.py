"""A risk core in a process of its own, for tests: `python -m tests.modules.live.riskd.child FOLDER KIND`.

KIND names one of the venues below; all keep what they were told in `FOLDER/venue.jsonl`, written before they answer, so
that a test can compare what left with what was answered however the process ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from modules.live.messages import Acknowledged, Ask, Cancelled, Connection, Filled, Marked, OpenAtVenue, Report
from modules.live.riskd.config import load_config
from modules.live.riskd.start import log_to, served
from modules.live.venues.port import Hear, VenueError

TOLD = "venue.jsonl"
PRICE = 100.0


class RecordingVenue:
    """Fills market orders at once and rests limit orders; its state is its file, as an exchange outlives who asks."""

    name = "sim"

    def __init__(self, folder: Path) -> None:
        self._path = folder / TOLD
        self._hear: Hear = lambda _news: None
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _tell(self, **what: object) -> None:
        os.write(self._fd, json.dumps(what).encode() + b"\n")

    def open(self, hear: Hear) -> None:
        self._hear = hear
        now = time.time_ns()
        hear(Connection(self.name, True, "opened", now))
        for symbol in ("AAA", "BBB"):
            hear(Marked(symbol, PRICE, now))

    def submit(self, ask: Ask, lots: int) -> None:
        now = time.time_ns()
        fills = ask.order_type == "market"
        self._tell(id=ask.client_id, symbol=ask.symbol, lots=lots, filled=fills)
        self._hear(Acknowledged(ask.client_id, ask.client_id, now))
        if fills:
            self._hear(self._fill(ask.client_id, ask.symbol, lots, now))
        self._hear(Marked(ask.symbol, PRICE, now))

    def _fill(self, client_id: str, symbol: str, lots: int, now: int) -> Filled:
        return Filled(client_id, f"x-{client_id}", symbol, lots, PRICE, round(lots * PRICE * 1e6), 0, now)

    def cancel(self, client_id: str) -> None:
        self._tell(cancel=client_id)
        self._hear(Cancelled(client_id, time.time_ns()))

    def cancel_all(self) -> None:
        for order in self.report().orders:
            if order.ended is None:
                self.cancel(order.client_id)
        self._tell(cancel_all=True)

    def report(self) -> Report:
        now = time.time_ns()
        orders: dict[str, OpenAtVenue] = {}
        positions: dict[str, int] = {}
        cash = 1_000_000 * 10**6
        for line in self._path.read_text().splitlines():
            told = json.loads(line)
            if "id" in told:
                fill = self._fill(told["id"], told["symbol"], told["lots"], now)
                fills, ended = ((fill,), "filled") if told["filled"] else ((), None)
                orders[told["id"]] = OpenAtVenue(told["id"], told["symbol"], told["lots"], fills, ended)  # type: ignore[arg-type]
                if told["filled"]:
                    positions[told["symbol"]] = positions.get(told["symbol"], 0) + told["lots"]
                    cash -= fill.value_micros
            elif "cancel" in told:
                o = orders.get(told["cancel"])
                if o is not None and o.ended is None:
                    orders[o.client_id] = OpenAtVenue(o.client_id, o.symbol, o.lots, (), "cancelled")
        return Report(self.name, tuple(orders.values()), positions, cash, True, now)

    def close(self) -> None:
        os.close(self._fd)


class DownVenue(RecordingVenue):
    """Not one byte leaves."""

    def submit(self, ask: Ask, lots: int) -> None:
        raise VenueError(f"no way to send {ask.client_id} of {lots} lots; ask later")


class SlowVenue(RecordingVenue):
    """Takes the order, then keeps whoever sends it waiting."""

    def submit(self, ask: Ask, lots: int) -> None:
        super().submit(ask, lots)
        time.sleep(3.0)


class BrokenVenue(RecordingVenue):
    """Takes the order, then breaks in a way nobody thought of."""

    def submit(self, ask: Ask, lots: int) -> None:
        super().submit(ask, lots)
        raise ZeroDivisionError("a fault of the adapter")


class SilentVenue(RecordingVenue):
    """Acknowledges nothing, remembers nothing: for measuring."""

    def submit(self, ask: Ask, lots: int) -> None:
        pass


KINDS = {"plain": RecordingVenue, "down": DownVenue, "slow": SlowVenue, "broken": BrokenVenue, "silent": SilentVenue}


def main(folder: Path, kind: str) -> None:
    config = load_config(folder)
    log_to(folder, config.mode, config.account)
    with served(folder, config, KINDS[kind](folder), "b1", limits_file=folder / "limits.yaml") as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        print("ready", flush=True)
        server.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
