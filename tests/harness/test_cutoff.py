"""Results before and after a model's training cut-off are kept apart, and every paper says so.

1. A bar belongs to the side of its day: the cut-off's own day is before, the next day after. Nothing is lost.
2. Each side has its own figures; too few bars give none.
3. Without a model there is nothing to keep apart, and the papers say that.
4. A specification that is handed on keeps its cut-off, or takes a later one of whoever drafts from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from harness.cutoff import FEWEST_BARS, Around, around, keep_trained, series_of, trained_of
from harness.cutoff import Trained as Model
from harness.drafters.offline.drafter import OfflineDrafter
from harness.report import RunReport
from harness.report.load import beside_run
from harness.research import research
from harness.specification import from_yaml
from modules.datastore import DataStore
from modules.engine.metrics import bars_per_year, sharpe
from modules.ingest.adding import add_files
from modules.manifest import RunError
from modules.workspace import Workspace
from tests.harness.planted import git, reversal_panel, small_checkout, wide_csv
from tests.harness.report.build import random_run

BARS = 100
FIRST = np.datetime64("2020-01-01")


@dataclass(frozen=True)
class Trained(OfflineDrafter):
    """Drafts as the offline one does, and says that it was trained."""

    cutoff: date | None = None


def tables(bars: int = BARS) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(3)
    when = (FIRST + np.arange(bars)).astype("datetime64[ns]")
    times = pl.Series("event_time", when).dt.replace_time_zone("UTC")
    nav = pl.DataFrame([times, pl.Series("net_return", rng.normal(0.001, 0.01, bars))])
    return nav, pl.DataFrame([times, pl.Series("ic", rng.normal(0.02, 0.1, bars))])


def cut(nav: pl.DataFrame, ic: pl.DataFrame, cutoff: date) -> Around:
    return around(series_of(nav, "net_return"), series_of(ic, "ic"), Model(model="x:y", cutoff=cutoff))


@pytest.mark.parametrize(
    ("cutoff", "before", "says"),
    [
        ("2019-12-31", 0, "all 100 bars lie behind"), ("2020-01-01", 1, "99 of 100 bars are out of"),
        ("2020-02-19", 50, "50 of 100"), ("2020-04-08", 99, "1 of 100"), ("2020-04-09", 100, "may know what came"),
        ("2031-01-01", 100, "all 100 bars lie before"),
    ],
)  # fmt: skip
def test_1_2_each_side_has_its_own_bars_and_figures(cutoff: str, before: int, says: str) -> None:
    nav, ic = tables()
    found = cut(nav, ic, date.fromisoformat(cutoff))
    assert (found.before.bars, found.after.bars) == (before, BARS - before) and says in found.words
    for part, rows, figures in ((found.before, nav[:before], ic[:before]), (found.after, nav[before:], ic[before:])):
        if part.bars < FEWEST_BARS:
            assert part.net_sharpe is None and part.rank_correlation is None
            continue
        ts = rows["event_time"].dt.epoch("ns").to_numpy()
        assert part.net_sharpe == sharpe(rows["net_return"].to_numpy(), bars_per_year(ts))
        assert part.rank_correlation == pytest.approx(figures["ic"].mean())
        assert part.first == rows["event_time"][0].date() and part.last == rows["event_time"][-1].date()


def test_2_no_bars_and_no_variance() -> None:
    nav, ic = tables()
    none = cut(nav.clear(), ic.clear(), date(2020, 1, 1))
    assert none.before.bars == none.after.bars == 0
    flat = cut(nav.with_columns(net_return=pl.lit(0.0)), ic, date(2020, 2, 19))
    assert flat.before.net_sharpe is None and flat.before.rank_correlation is not None


@pytest.mark.slow
def test_2_the_report_of_the_run_keeps_them_apart(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=130)
    place = Workspace(root=tmp_path, home=tmp_path)
    series = RunReport.of(manifest, store, 0).series
    model = Model(model="x:<b>y</b>", cutoff=day_of(int(series.account.ts[60])))
    for _ in range(2):
        keep_trained(place.runs, manifest, model)
    beside = beside_run(place, manifest)
    assert beside.trained == trained_of(place.runs, manifest) == model
    report = RunReport.of(manifest, store, 0, beside)
    page, numbers = report.page(svgs={}), report.numbers()["cutoff"]
    assert 'id="cutoff"' in page and "x:&lt;b&gt;y&lt;/b&gt; was trained on data until" in page
    assert isinstance(numbers, dict) and numbers["before"]["bars"] == 61
    assert numbers["after"]["bars"] == series.account.ts.size - 61
    assert 'id="cutoff"' not in RunReport.of(manifest, store, 0).page(svgs={})

    path = place.runs / manifest.run_id / "trained.json"
    path.write_text(path.read_text().replace(manifest.digest, "0" * 64))
    assert "other bits" in beside_run(place, manifest).notes[0]
    path.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        trained_of(place.runs, manifest)


def day_of(ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=ns // 86_400_000_000_000)


@pytest.mark.slow
def test_3_4_a_research_with_a_model_is_stamped(tmp_path: Path) -> None:
    workspace = Workspace(root=small_checkout(tmp_path / "checkout"), home=tmp_path / "home")
    add_files(DataStore(workspace.data), "planted", [wide_csv(reversal_panel(1_500), tmp_path / "planted.csv")])
    plain = OfflineDrafter.of_checkout()
    model = Trained(plain.known, "made-up:model-1", date(2006, 1, 1))
    text = "Stocks that fell the most last week rebound"

    def papers(drafter: OfflineDrafter, given: object = text) -> tuple[dict[str, str], object]:
        result = research(given, workspace=workspace, emit=lambda _: None, data="planted", k=2, drafter=drafter)  # type: ignore[arg-type]
        assert result.chosen is not None and result.chosen.branch is not None
        names = git(workspace.root, "ls-tree", "-r", "--name-only", result.chosen.branch).split()
        mine = [n for n in names if f"/{result.chosen.module}/" in n]
        return {n.rsplit("/", 1)[-1]: git(workspace.root, "show", f"{result.chosen.branch}:{n}") for n in mine}, result

    files, result = papers(model)
    parts = result.around  # type: ignore[attr-defined]
    assert parts.before.bars > FEWEST_BARS and parts.after.bars > FEWEST_BARS
    assert any("out of its sample" in n for n in result.notes)  # type: ignore[attr-defined]
    assert yaml.safe_load(files["spec.yaml"])["cutoff"] == "2006-01-01"
    assert "made-up:model-1, trained on data until 2006-01-01" in files["README.md"]
    assert f"| after | {parts.after.bars} |" in files["report.md"]

    bare, unstamped = papers(plain)
    assert unstamped.around is None and "nothing to keep apart" in bare["report.md"]  # type: ignore[attr-defined]
    assert "trained on" not in bare["README.md"]

    handed_on = from_yaml(files["spec.yaml"]).model_copy(update={"signal": None})
    assert "made-up:model-1" in papers(plain, handed_on)[0]["README.md"], "who had the idea stays known"
    newer = Trained(plain.known, "made-up:model-2", date(2007, 1, 1))
    assert "made-up:model-2, trained on data until 2007-01-01" in papers(newer, handed_on)[0]["README.md"]
