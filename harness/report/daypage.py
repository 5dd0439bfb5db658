"""The page of a live day: what its orders cost. PAPER or LIVE stands in its title and first line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

from harness.report.files import json_bytes, without_nan, write_whole
from harness.report.tables_execution import execution
from harness.report.template import render_template
from modules.live.analysis.daycosts import costs_of_day
from modules.live.analysis.tca import Costs
from modules.live.journal.port import Entry
from modules.live.journal.reading import read_journal
from modules.live.place import Place
from modules.live.runner.resume import tapes
from modules.live.runner.tables import table
from modules.live.runner.tape import Frame, TapeError, read_tape
from modules.live.runner.taped import Began, Decided

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class DayReport:
    """A day on an account, and what trading cost on it."""

    day: str
    began: Began
    bars: int
    costs: Costs

    @property
    def word(self) -> str:
        """PAPER or LIVE, and whose day it is."""
        return f"{self.began.mode.upper()} {self.began.account} {self.day}"

    def page(self) -> str:
        """Self-contained HTML."""
        values = {
            "word": self.word,
            "began": self.began,
            "bars": self.bars,
            "execution_tables": execution(self.costs),
        }
        return render_template(TEMPLATES, "day.html.j2", values, {})

    def numbers(self) -> dict[str, object]:
        """The figures for programs; None where a figure has no meaning."""
        return without_nan(
            {
                "day": self.day,
                "mode": self.began.mode,
                "account": self.began.account,
                "venue": self.began.venue,
                "strategy": self.began.strategy,
                "build": self.began.build,
                "bars": self.bars,
                "execution": {
                    "total": asdict(self.costs.total()),
                    "by_venue": {k: asdict(b) for k, b in self.costs.by("venue").items()},
                    "by_when": {k: asdict(b) for k, b in self.costs.by("when").items()},
                    "unpriced_orders": self.costs.unpriced,
                },
            }
        )

    def write(self, folder: Path) -> tuple[Path, Path]:
        """`report.html` and `report.json`, each whole or not at all."""
        page, numbers = self.page(), json_bytes(self.numbers())
        folder.mkdir(parents=True, exist_ok=True)
        return write_whole(folder / "report.html", page.encode()), write_whole(folder / "report.json", numbers)


def read_day(account: Path, day: str) -> DayReport:
    """The day of a live account's folder, `last` = the newest. Raises TapeError, JournalError."""
    there = tapes(Place(account).tape)
    names = [p.stem for p in there]
    at = len(there) - 1 if day == "last" else names.index(day) if day in names else -1
    if at < 0:
        last = f"; the newest is {names[-1]}" if names else ""
        raise TapeError(f"there is no tape of {day} in {account / 'tape'}{last}; `cws live` records one a day")
    frames = list(read_tape(there[at]))
    began = next((f.message for f in frames if isinstance(f.message, Began)), None)
    if began is None:
        raise TapeError(f"{there[at]} does not begin with what is traded; the runner ended before its first word")
    known = table(there[at].parent, began.instruments)
    lots = dict(zip(known["symbol"].to_list(), known["lot_size"].to_list(), strict=True))
    after: Iterable[Frame] = read_tape(there[at + 1]) if at + 1 < len(there) else ()
    costs = costs_of_day(frames, _journal(account, frames), began.venue, lots, after)
    bars = sum(isinstance(f.message, Decided) for f in frames)
    return DayReport(names[at], began, bars, costs)


def _journal(account: Path, frames: list[Frame]) -> Iterable[Entry]:
    """What the desk recorded while the tape ran."""
    folder = account / "desk" / "journal"
    if not folder.exists():
        return ()
    first, last = frames[0].ts_ns, frames[-1].ts_ns
    return (e for e in takewhile(lambda e: e.ts_ns <= last, read_journal(folder)) if e.ts_ns >= first)
