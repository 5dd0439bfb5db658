"""Where a run's result came from: by year, market volatility, sector and symbol; and what its fills cost."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from modules.artifacts import ArtifactError
from modules.canonical import digest_bytes
from modules.panel import Panel
from supervisor.probes._attribution import Account, fill_figures, profit_by_symbol, sharpe_by_regime, sharpe_by_year
from supervisor.probes._port import Room
from traces.events import RunProfiled

MEASURE = digest_bytes(b"profile 1")
"""Changed by whoever changes what a figure means: runs are then measured again."""

# The newest run of each task on the sizing in force: what is mined, and nothing else.
_RUNS = """
SELECT z.run_id, i.outputs AS ingested, c.outputs AS cleaned, x.outputs AS executed
FROM in_force z JOIN stages i USING (run_id) JOIN stages c USING (run_id) JOIN stages x USING (run_id)
WHERE z.stage = 'size' AND i.stage = 'ingest' AND c.stage = 'clean' AND x.stage = 'execute'
      AND z.run_id NOT IN (SELECT run_id FROM run_profiled WHERE measure = '{measure}')
ORDER BY z.seq DESC
"""


@dataclass(frozen=True)
class Profiles:
    """`run.profiled` for each mined run that has none, the newest first."""

    name: str = "profiles"

    def measure(self, room: Room) -> tuple[str, ...]:
        """Runs whose artifacts are gone are left out, and said."""
        missing = 0
        for row in room.mined.sql(_RUNS.format(measure=MEASURE)).iter_rows(named=True):
            if room.late:
                return ("time ran out: not every run was taken apart by year, sector and symbol",)
            room.progress(f"taking apart run {row['run_id']}")
            try:
                account = _account(room, row)
            except ArtifactError:
                missing += 1
                continue
            room.emit(profile_of(row["run_id"], account))
        return (f"{missing} runs were not taken apart: their artifacts are gone",) if missing else ()


def profile_of(run_id: str, account: Account) -> RunProfiled:
    """The event of one run."""
    symbols = profit_by_symbol(account)
    sector = dict(account.instruments.sort("valid_from").select("symbol", "sector").iter_rows())
    sectors: dict[str, float] = {}
    for symbol, profit in symbols.items():
        name = sector.get(symbol, "unknown")
        sectors[name] = sectors.get(name, 0.0) + profit
    return RunProfiled(
        run_id=run_id,
        measure=MEASURE,
        years=sharpe_by_year(account.nav),
        regimes=sharpe_by_regime(account.nav, account.bars),
        sectors=sectors,
        symbols=symbols,
        figures=fill_figures(account),
    )


def _account(room: Room, row: dict[str, dict[str, str]]) -> Account:
    def panel(stage: str, name: str) -> Panel:
        found = room.store.get(row[stage][name])
        assert isinstance(found, Panel), f"{name} is a panel by contract"
        return found

    def table(stage: str, name: str) -> pl.DataFrame:
        found = room.store.get(row[stage][name])
        assert isinstance(found, pl.DataFrame), f"{name} is a table by contract"
        return found

    return Account(
        bars=panel("cleaned", "bars"),
        positions=panel("executed", "positions"),
        nav=table("executed", "nav"),
        orders=table("executed", "orders"),
        fills=table("executed", "fills"),
        instruments=table("ingested", "instruments"),
        actions=table("executed", "actions") if "actions" in row["executed"] else None,
    )


PROBE = Profiles()
