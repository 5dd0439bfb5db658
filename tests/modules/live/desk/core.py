"""A risk core of many instruments, in a process: `python -m tests.modules.live.desk.core FOLDER`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from modules.live.messages import Connection, Marked
from modules.live.riskd.config import load_config
from modules.live.riskd.start import served
from modules.live.venues.port import Hear
from tests.modules.live.riskd.child import PRICE, RecordingVenue


class ManyVenue(RecordingVenue):
    """Prices for every instrument of the account."""

    def __init__(self, folder: Path, symbols: tuple[str, ...]) -> None:
        super().__init__(folder)
        self._symbols = symbols

    def open(self, hear: Hear) -> None:
        self._hear = hear
        now = time.time_ns()
        hear(Connection(self.name, True, "opened", now))
        for symbol in self._symbols:
            hear(Marked(symbol, PRICE, now))


def main(folder: Path) -> None:
    config = load_config(folder)
    venue = ManyVenue(folder, tuple(x.symbol for x in config.traded))
    with served(folder, config, venue, "b1", limits_file=folder / "limits.yaml") as server:
        print("ready", flush=True)
        server.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
