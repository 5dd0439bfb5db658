"""The report of a run: self-contained, deterministic, loud where the figures need a warning."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.report import Beside, RunReport, write_report
from harness.report.charts import draw_costs, draw_ic, draw_quantiles
from harness.report.drawing import _numbered
from harness.report.factorfile import GivenFactors
from harness.report.series import read_series
from harness.report.statistics import statistics
from harness.report.study import study
from harness.report.tearsheet import write_tearsheet
from harness.report.warnings import warnings
from modules.artifacts import ArtifactError
from modules.engine.metrics import bars_per_year
from modules.manifest import RunError
from modules.panel import Panel
from tests.harness.report.build import random_run, weekdays

SECTIONS = (
    "Performance",
    "Losses",
    "Over a window of 225 bars",
    "Seasons",
    "Autocorrelation and stationarity",
    "Market and factors",
    "Signal",
    "Costs",
    "Net return by month, %",
    "Trades",
    "Book",
    "Judgement",
    "Risk decisions",
    "Data quality",
    "Stages",
    "Environment",
    "Exact configuration",
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    """Page and figures of one report whose pictures are left out: drawing is most of the time."""
    manifest, store = random_run(tmp_path_factory.mktemp("shown"))
    report = RunReport.of(manifest, store, trials_count=37)
    return report.page(svgs={}), report.numbers()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict, Path]:
    """One report, for the tests that only read it."""
    root = tmp_path_factory.mktemp("report")
    manifest, store = random_run(root)
    paths = write_report(manifest, store, root / "out", trials_count=37)
    return paths.html.read_text(), json.loads(paths.json.read_text()), root


@pytest.mark.slow
def test_page_needs_nothing_from_outside(written: tuple[str, dict, Path]) -> None:
    page = written[0]
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)""", page) + re.findall(r"url\((?!#)([^)]*)\)", page)
    assert links == []
    assert "<script" not in page and "@import" not in page


@pytest.mark.slow
def test_page_has_every_chart(written: tuple[str, dict, Path]) -> None:
    assert written[0].count("<svg ") == 15


def test_page_has_every_section_and_leads_to_it(shown: tuple[str, dict]) -> None:
    page = shown[0]
    assert [s for s in SECTIONS if f"<h2>{s}</h2>" not in page] == []
    places = re.findall(r'<a href="#([a-z]+)"', page)
    assert len(places) > 9 and [p for p in places if f'id="{p}"' not in page] == []


@pytest.mark.slow
def test_ids_are_unique_over_the_whole_page(written: tuple[str, dict, Path]) -> None:
    per_chart = [re.findall(r'\bid="([^"]+)"', svg) for svg in re.findall(r"<svg .*?</svg>", written[0], flags=re.S)]
    every = [name for ids in per_chart for name in set(ids)]
    assert len(every) == len(set(every)) > 0


@pytest.mark.slow
def test_charts_take_their_colours_from_the_page(written: tuple[str, dict, Path]) -> None:
    svgs = "".join(re.findall(r"<svg .*?</svg>", written[0], flags=re.S))
    assert "var(--net)" in svgs and "var(--grid)" in svgs
    assert set(re.findall(r"#[0-9a-f]{6}", svgs)) <= {"#000000", "#ffffff"}


def test_page_and_json_show_what_identifies_the_run(shown: tuple[str, dict]) -> None:
    page, numbers = shown
    assert numbers["run_id"] in page and numbers["digest"] in page and numbers["task"]["data_digest"] in page
    assert "window_bars: 5" in page
    assert numbers["trials"] == 37 and ">37<" in page


def test_json_has_no_nan_and_every_month(shown: tuple[str, dict]) -> None:
    numbers = shown[1]
    assert all(len(row) == 12 for row in numbers["statistics"]["months"].values())
    json.dumps(numbers, allow_nan=False)


@pytest.mark.slow
def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    first = write_report(manifest, store, tmp_path / "a", trials_count=2)
    second = write_report(manifest, store, tmp_path / "b", trials_count=2)
    for a, b in zip((first.html, first.json, *first.pngs), (second.html, second.json, *second.pngs), strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_names_in_a_picture_are_of_its_order_and_not_of_the_last_bit() -> None:
    one, other = (
        f'<path clip-path="url(#p{a})"/><clipPath id="p{a}"/><g id="axes_1"/><use href="#m{b}"/><path id="m{b}"/>'
        for a, b in (("b28e6cfaad", "0123456789"), ("8290650ad2", "9876543210"))
    )
    assert _numbered(one) == _numbered(other)
    assert _numbered(one).count("p0") == 2 and _numbered(one).count("m1") == 2 and "axes_1" in _numbered(one)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"trades": False}, "ZERO TRADES"),
        ({"volume": False}, "Market impact is not modelled"),
        ({"bars": 300}, "Short history"),
    ],
)
def test_warnings_are_on_the_page(tmp_path: Path, options: dict, expected: str) -> None:
    manifest, store = random_run(tmp_path, **{"bars": 800, **options})
    report = RunReport.of(manifest, store, trials_count=0)
    assert any(expected in text for text in report.said.warnings)
    assert expected in report.page(svgs={})


def test_a_run_with_nothing_wrong_has_no_warnings(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=900)
    assert RunReport.of(manifest, store, trials_count=0).said.warnings == ()


def test_fills_at_the_close_of_the_decision_are_said_with_their_control(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path)
    lagged = manifest.model_copy(update={"metrics": {**manifest.metrics, "net_sharpe_next_close": 0.25}})
    said = RunReport.of(lagged, store, trials_count=0).said.warnings
    assert any("no open" in text and "0.25" in text for text in said)


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, None), (0.25, "25.00% of the bars carry no open"), (0.00002, "Under 0.01% of the bars")]
)
def test_only_bars_without_an_open_are_said_to_fill_early(tmp_path: Path, share: float, said: str | None) -> None:
    manifest, store = random_run(tmp_path)
    series = replace(read_series(manifest, store), without_open=share)
    found = [w for w in warnings(series, statistics(series, 0), {"net_sharpe_next_close": 0.25}) if "open" in w]
    assert (found == []) if said is None else said in found[0]


def test_figures_a_year_are_those_of_the_engine(tmp_path: Path) -> None:
    """A page whose Sharpe ratio differs from the run's own is a page nobody can trust."""
    manifest, store = random_run(tmp_path)
    series = read_series(manifest, store)
    minutes = np.concatenate([np.arange(390) * 60 * 10**9 + d * 86_400 * 10**9 for d in (4, 5, 6, 7, 8)])
    minutes = np.delete(minutes, np.s_[1560:1700])  # a short session
    rows = minutes.size
    account = series.account
    intraday = replace(
        account,
        ts=minutes,
        **{n: np.resize(getattr(account, n), rows) for n in ("nav", "gross_return", "net_return", "turnover")},
        costs={k: np.resize(v, rows) for k, v in account.costs.items()},
    )
    assert statistics(replace(series, account=intraday), 0).bars_per_year == bars_per_year(minutes) == 390 * 252


@pytest.mark.slow
def test_charts_of_a_single_year_and_of_too_few_symbols(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=200)
    series = replace(read_series(manifest, store), quantiles=())
    axes = draw_costs(series).axes[0]
    assert [f"{t:g}" for t in axes.get_xticks()] == ["2004"]
    said = [t.get_text() for t in draw_quantiles(series).axes[0].texts]
    assert said == ["4 symbols are too few\nto sort into quantiles"]
    bare = replace(series, ic=series.ic[:1], ic_ts=series.ic_ts[:1])
    chart = draw_ic(bare, statistics(series, 0)).axes[0]
    assert [t.get_text() for t in chart.texts] == ["fewer than two bars\nhave an IC"] and not chart.axison


@pytest.mark.parametrize("bars", [1, 2, 3, 7, 63, 130])
def test_short_runs_have_a_page_and_figures(tmp_path: Path, bars: int) -> None:
    manifest, store = random_run(tmp_path, bars=bars)
    report = RunReport.of(manifest, store, trials_count=1)
    assert "nan" not in re.sub(r"<[^>]*>", " ", report.page(svgs={})).lower().split()
    json.dumps(report.numbers(), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"bars": 1}, {"bars": 2}, {"bars": 63}, {"bars": 300, "trades": False}])
def test_every_picture_of_a_poor_run_can_be_drawn(tmp_path: Path, options: dict) -> None:
    manifest, store = random_run(tmp_path, **options)
    report = RunReport.of(manifest, store, trials_count=1)
    pngs, svgs = report.pngs(), report.svgs
    assert len(pngs) == 18 and all(png.startswith(b"\x89PNG") for png in pngs.values())
    assert pngs.keys() == svgs.keys() and sum(svg.startswith("<svg ") for svg in svgs.values()) == 15


def test_a_notebook_shows_the_page_in_a_frame_without_scripts(tmp_path: Path) -> None:
    from html.parser import HTMLParser

    manifest, store = random_run(tmp_path, bars=130)
    report = RunReport.of(manifest, store, trials_count=1)
    report.__dict__["svgs"] = {c.name: f"<svg id='{c.name}'>\"</svg>" for c in report.charts()}
    seen: dict[str, dict] = {}

    class Frame(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list) -> None:
            seen[tag] = dict(attrs)

    Frame().feed(report._repr_html_())
    assert list(seen) == ["iframe"] and seen["iframe"]["srcdoc"] == report.page()
    assert seen["iframe"]["sandbox"] is None  # given without a word: everything is forbidden


def test_tables_of_a_notebook_hold_what_the_page_says(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    report = RunReport.of(manifest, store, trials_count=1)
    trips, returns = report.trips(), report.returns()
    assert trips["profit"].sum() == pytest.approx(float(report.study.trips.profit.sum()))
    assert returns.height == 300 and returns["net_return"].to_list() == report.series.account.net_return.tolist()
    assert set(trips["symbol"]) <= set(report.series.book.symbols)


@pytest.mark.slow
def test_the_tear_sheet_of_quantstats_fetches_nothing(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=400)
    page = write_tearsheet(RunReport.of(manifest, store, trials_count=1), tmp_path / "q.html").read_text()
    assert "r-toy" in page and "mean of all symbols" in page.lower()
    assert "<script" not in page and re.findall(r"<(?:link|img|iframe)[^>]*(?:href|src)=.?http[^>]*>", page) == []
    still, kept = random_run(tmp_path / "still", trades=False)
    with pytest.raises(RunError, match="0 of them with a return"):
        write_tearsheet(RunReport.of(still, kept, trials_count=1), tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_text_of_the_run_is_escaped(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    hostile = manifest.task.model_copy(update={"signal": "<script>alert(1)</script>"})
    report = RunReport.of(manifest.model_copy(update={"task": hostile}), store, trials_count=0)
    assert "<script>" not in report.page(svgs={})


HOSTILE = ("<script>alert(1)</script>", "$\\frac{1}{$", "_hidden", "</title><b>", 'a\nb & "c"\'')


@pytest.mark.slow
def test_names_are_names_on_page_and_pictures(tmp_path: Path) -> None:
    """Symbols, sectors and factors called like markup, formulas and hidden labels."""
    manifest, store = random_run(tmp_path, bars=200)
    given = GivenFactors(
        "f.csv", HOSTILE, weekdays("2004-01-01", 200), np.random.default_rng(0).normal(0, 0.01, (200, 5))
    )
    report = RunReport.of(manifest, store, 0, Beside(factors=given))
    book = report.series.book
    named = replace(book, bars=Panel(book.bars.ts, HOSTILE[:4], dict(book.bars.fields)), sectors=HOSTILE[:2])
    series = replace(report.series, book=named)
    hostile = replace(report, series=series, study=study(series, 0, given.on(report.series.account.ts)))
    page = hostile.page()
    assert "<script" not in page and "<b>" not in page
    words = html.unescape(re.sub(r"<[^>]*>", " ", page))
    assert all(name.split("\n")[0] in words for name in HOSTILE[:4])


def test_an_account_below_zero_has_a_page(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    report = RunReport.of(manifest, store, 0)
    account = report.series.account
    lost = np.where(np.arange(300) == 150, -1.4, account.net_return)
    nav = np.where(np.arange(300) >= 150, -4e5, account.nav)
    series = replace(report.series, account=replace(account, net_return=lost, nav=nav))
    ruined = replace(report, series=series, stats=statistics(series, 0), study=study(series, 0))
    json.dumps(ruined.numbers(), allow_nan=False)
    assert "Losses" in ruined.page(svgs={})


def test_a_run_that_stopped_early_is_refused_by_name(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    early = manifest.model_copy(update={"stages": manifest.stages[:3]})
    with pytest.raises(RunError, match="has no artifact fills"):
        write_report(early, store, tmp_path / "out", trials_count=0)
    assert not (tmp_path / "out").exists()


def test_a_lost_artifact_is_named(tmp_path: Path) -> None:
    manifest, store = random_run(tmp_path, bars=300)
    path = store.find(manifest.output("nav"))
    assert path is not None
    path.unlink()
    with pytest.raises(ArtifactError, match=manifest.output("nav")[:12]):
        read_series(manifest, store)
