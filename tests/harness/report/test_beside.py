"""What other commands left of a run stands on its page, or its absence is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report import Beside, RunReport, open_report
from harness.report.load import beside_run, trials_recorded
from harness.validation.capacity import capacity_figure
from harness.validation.report import Capacity
from harness.vector.store import GapStore
from modules.manifest import ManifestStore, RunError
from modules.workspace import Workspace
from tests.harness.report.build import random_run
from tests.harness.vector.test_store import GAP

CURVE = tuple(
    Capacity(capital_usd=c, net_sharpe=s, annual_return=s / 10, cost_bps_year=9.0)
    for c, s in ((1e5, 1.2), (1e6, 1.0), (1e7, 0.3))
)


def place(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path, home=tmp_path)


def test_the_gap_is_a_section_with_every_part(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=130)
    report = RunReport.of(manifest, store, 1, Beside(gap=GAP))
    page = report.page(svgs={})
    assert "Gap to the vector result" in page and "order 3 REDUCE by max_order, 5 of 10 shares" in page
    assert "\u2212100.2" in page and "agree" in page and "a note." in page
    assert report.numbers()["gap"]["parts"][0]["cause"] == "spread"  # type: ignore[index]
    assert "gap" in {c.name for c in report.charts()}


def test_capacity_is_a_sentence_and_a_table(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=130)
    figure = capacity_figure(CURVE, 1e6)
    page = RunReport.of(manifest, store, 1, Beside(curve=CURVE, capacity=figure)).page(svgs={})
    assert figure is not None and figure.words in page and "10,000,000" in page
    none = RunReport.of(manifest, store, 1, Beside(curve=CURVE, no_capacity="there is no volume")).page(svgs={})
    assert "No capacity is stated: there is no volume." in none


def test_without_either_there_is_neither_section(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=130)
    page = RunReport.of(manifest, store, 1).page(svgs={})
    assert 'id="gap"' not in page and 'id="capacity"' not in page


def test_a_report_opens_by_run_id_with_what_lies_beside_it(tmp_path: Path) -> None:
    manifest, _ = random_run(tmp_path, bars=130)
    ManifestStore(place(tmp_path).runs).save(manifest)
    GapStore(place(tmp_path).runs).save(manifest, GAP)
    report = open_report("r-t", place(tmp_path))
    assert report.manifest == manifest and report.beside.gap == GAP and report.trials_count == 0
    with pytest.raises(RunError, match="is not a run"):
        open_report("other", place(tmp_path))


def test_what_was_changed_on_disk_is_not_shown_but_said(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=130)
    path = GapStore(place(tmp_path).runs).save(manifest, GAP)
    path.write_text(path.read_text().replace("120.5", "999.5"))
    (path.parent / "validation.json").write_text("{")
    beside = beside_run(place(tmp_path), manifest)
    assert beside.gap is None and beside.curve == ()
    assert [n.split(":")[0] for n in beside.notes] == ["not shown"] * 2
    assert "was changed" in RunReport.of(manifest, store, 1, beside).page(svgs={})


def test_a_workspace_without_a_ledger_has_no_trials(tmp_path: Path) -> None:
    assert trials_recorded(tmp_path / "none") == 0
