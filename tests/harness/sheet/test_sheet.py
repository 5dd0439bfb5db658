"""The page, its files, and what a sheet refuses or says of data that show little."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from harness.report.drawing import render
from harness.sheet import SheetError, SheetPaths, Subject, write_sheet
from harness.sheet.charts import charts
from harness.sheet.page import Said, luck_t, render_page, tiles
from harness.sheet.warnings import notes, warnings
from modules.panel import Panel, ns
from modules.signal.operators import Kind, Operator, registered
from modules.signal.units import of
from tests.harness.sheet.build import MINUTE_NS, REVERSAL, SETTINGS, instruments, market, sheet_of

pytestmark = pytest.mark.slow

SUBJECT = Subject(data="toy", data_digest="d" * 64, lockbox_start="2012-01-01", trials=9, trials_on_data=4)
SECTIONS = (
    "Information coefficient", "Decay", "Mean rank IC by month, hundredths", "Rank IC within sectors",
    "Returns by quantile", "Turnover", "Costs and capacity of top minus bottom", "Coverage",
    "How these figures were made",
)  # fmt: skip
SHEET = sheet_of(market())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> SheetPaths:
    """One sheet, for the tests that only read it."""
    return write_sheet(SHEET, SUBJECT, SETTINGS, tmp_path_factory.mktemp("sheet"))


def test_page_needs_nothing_from_outside(written: SheetPaths) -> None:
    page = written.html.read_text()
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)""", page) + re.findall(r"url\((?!#)([^)]*)\)", page)
    assert links == []
    assert "<script" not in page and "@import" not in page


def test_page_has_every_section_and_picture(written: SheetPaths) -> None:
    page = written.html.read_text()
    assert [s for s in SECTIONS if f"<h2>{s}</h2>" not in page] == []
    assert page.count("<svg ") == len(written.pngs) - 1 == 15
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in written.pngs)
    svgs = "".join(re.findall(r"<svg .*?</svg>", page, flags=re.S))
    assert set(re.findall(r"#[0-9a-f]{6}", svgs)) <= {"#000000", "#ffffff"}, "colours come from the page"


def test_page_says_whose_it_is_and_what_was_not_read(written: SheetPaths) -> None:
    page = written.html.read_text()
    assert SUBJECT.data_digest in page and SHEET.digest in page
    assert "History from 2012-01-01 on is the lockbox" in page
    assert f"{SHEET.start} to {SHEET.end}" in page
    assert "t = 1.2" in page, "what the best of four worthless looks shows by luck"


def test_json_holds_the_figures_and_no_nan(written: SheetPaths) -> None:
    found = json.loads(written.json.read_text(), parse_constant=pytest.fail)
    assert found["rank_ic"][0]["mean"]["mean"] == SHEET.information.by_horizon[0].mean.mean
    assert found["trials_on_data"] == 4 and found["quantiles"] == 5
    assert {h["bars"] for h in found["holdings"]} == {1, 5, 21}
    assert found["holdings"][0]["capacity"]["half_nav"] > 0


def test_series_have_a_row_a_bar(written: SheetPaths) -> None:
    table = pl.read_csv(written.series, infer_schema_length=None)
    assert table.height == SHEET.material.ts.size
    spread = table["excess_5"] - table["excess_1"]
    assert spread.to_numpy() == pytest.approx(table["spread"].to_numpy(), nan_ok=True, abs=1e-15)
    assert table["event_time"][0] == f"{SHEET.start}T00:00:00Z"


def test_equal_sheets_give_equal_pictures() -> None:
    names = ("ic_months", "quantiles_violin", "ic_qq")
    first, second = (
        {c.name: render(c) for c in charts(sheet_of(market(bars=200))) if c.name in names} for _ in range(2)
    )
    assert first == second and len(first) == len(names)


@pytest.mark.slow
def test_equal_sheets_give_equal_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_sheet(sheet_of(market()), SUBJECT, SETTINGS, tmp_path / folder)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(names) == 19
    assert [n for n in names if (tmp_path / "a" / n).read_bytes() != (tmp_path / "b" / n).read_bytes()] == []


def _one(panel: Panel, columns: int) -> Panel:
    return Panel(panel.ts, panel.symbols[:columns], {k: v[:, :columns] for k, v in panel.fields.items()})


def _blind(panel: Panel) -> Panel:
    return panel.with_fields(close=np.full(panel.shape, np.nan))


REFUSED = [
    ("one symbol", lambda p: _one(p, 1), "close", "compares symbols", "cws run --signal"),
    ("two symbols", lambda p: _one(p, 2), REVERSAL, "needs 3; the data have 2", "add symbols"),
    ("the same for all", lambda p: p, "month + 0 * returns(close, 1)", "same for all symbols", "differs between"),
    ("all missing", _blind, "returns(close, 5)", "no value on any bar", "cws signal eval"),
    ("few rows", lambda p: p.rows(0, 30), REVERSAL, "23 bars have 3 symbols", "longer period"),
]


@pytest.mark.parametrize(
    ("change", "expr", "message", "remedy"), [r[1:] for r in REFUSED], ids=[r[0].replace(" ", "-") for r in REFUSED]
)
def test_refuses(change, expr: str, message: str, remedy: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SheetError, match=re.escape(message)) as refused:
        sheet_of(change(market(bars=120)), expr)
    assert remedy in refused.value.remedy and remedy in str(refused.value)


def test_few_symbols_make_few_quantiles() -> None:
    sheet = sheet_of(_one(market(), 5))
    assert (sheet.material.quantiles, sheet.material.quantiles_asked) == (2, 5)
    assert any("2 quantiles instead of 5" in n for n in notes(sheet, SETTINGS, "2012-01-01"))
    assert [s.monotonicity for s in sheet.quantiles.spreads] == [None] * len(sheet.quantiles.spreads)


def test_without_volume_there_is_no_capacity_and_it_is_said() -> None:
    sheet = sheet_of(market(volume=False))
    assert [(h.capacity, h.impact) for h in sheet.trading.holdings] == [(None, None)] * 3
    assert any("no volume" in w for w in warnings(sheet))
    for chart in charts(sheet):
        if chart.name == "capacity":
            assert "no volume" in chart.draw().axes[0].texts[0].get_text()


def test_without_opens_the_control_is_said() -> None:
    sheet = sheet_of(market(opens=False))
    assert sheet.without_open == 1.0
    later = sheet.information.one_bar_later.mean
    assert later is not None and any(f"{later:.4f}" in w for w in warnings(sheet) if "no open" in w)


def test_a_signal_of_levels_is_said() -> None:
    sheet = sheet_of(market(), "rank(-close)")
    assert warnings(sheet)[0].startswith("READS THE FUTURE, PERHAPS")


def test_a_leak_is_said_before_all_else() -> None:
    """An operator that looks at the last row, as a careless normalisation does."""
    row = Operator("peek", Kind.CROSS, ("x",), "the future, for this test", "none.peek", of("x"))

    def kernel(x: np.ndarray, out: np.ndarray) -> None:
        out[:] = x / np.nanmean(x, axis=0)

    with registered(row, kernel):
        sheet = sheet_of(market(), "peek(returns(close, 1))")
    assert sheet.ahead is not None
    assert warnings(sheet)[0].startswith(f"READS THE FUTURE: the value of {sheet.ahead.symbol}")


def test_the_wrong_sign_is_said() -> None:
    said = warnings(sheet_of(market(), "rank(returns(close, 5))"))
    assert any("points the other way" in w for w in said)


def test_nothing_found_is_said() -> None:
    none = replace(SHEET.information, by_horizon=tuple(
        replace(d, mean=replace(d.mean, low=-1.0, high=1.0)) for d in SHEET.information.by_horizon
    ))  # fmt: skip
    assert any(w.startswith("Nothing found") for w in warnings(replace(SHEET, information=none)))


def test_unknown_sectors_are_said_and_names_are_text() -> None:
    panel = market(bars=150)
    unknown = sheet_of(panel, told=instruments(panel.symbols, ("UNKNOWN",)))
    assert unknown.information.sectors == ()
    assert any("Sectors are not known" in n for n in notes(unknown, SETTINGS, "2012-01-01"))
    hostile = sheet_of(panel, told=instruments(panel.symbols, ("<script>$x_1$", "B")))
    drawn = {c.name: render(c)[1] if c.name == "ic_sectors" else "" for c in charts(hostile)}
    page = render_page(hostile, SUBJECT, Said((), ()), drawn)
    assert "<script" not in page and "&lt;script&gt;$x_1$ (6)" in page


def test_minutes_have_days_in_their_calendar_and_bars_on_their_axis() -> None:
    panel = market(bars=1_200, step_ns=MINUTE_NS)
    day = np.arange(1_200) // 390
    minutes = ns("2023-01-03") + day * 86_400 * 10**9 + (np.arange(1_200) % 390 + 870) * MINUTE_NS
    sheet = sheet_of(Panel(minutes, panel.symbols, panel.fields))
    assert sheet.information.calendar.rows == ("2023-01",) and len(sheet.information.calendar.columns) == 31
    assert sheet.material.per_year == 390 * 252
    drawn = next(c for c in charts(sheet) if c.name == "coverage").draw().axes[0]
    assert [t.get_text() for t in drawn.get_xticklabels()] == ["3 Jan", "4 Jan", "5 Jan", "6 Jan"]


def test_days_around_the_clock_count_365_a_year() -> None:
    assert sheet_of(market(bars=150)).material.per_year == 365.0


def test_ties_that_leave_the_book_empty_are_said() -> None:
    sheet = sheet_of(market(), "where(returns(close, 1) > 0.02, 1, 0)")
    assert sheet.trading.held_share < 0.5
    assert any("quantile is empty" in w for w in warnings(sheet))


def test_a_capital_beyond_the_volume_is_said() -> None:
    thin = market()
    sheet = sheet_of(thin.with_fields(volume=thin["volume"] / 1e4))
    assert any(w.startswith("A capital of 1 m USD is more than this book can trade") for w in warnings(sheet))
    assert not any("more than this book" in w for w in warnings(sheet_of(thin)))


def test_ties_and_a_constant_symbol_do_no_harm() -> None:
    panel = market(bars=150)
    close = panel["close"].copy()
    close[:, :4] = 10.0
    sheet = sheet_of(panel.with_fields(close=close, open=close), REVERSAL)
    numbers = [d.mean.mean for d in sheet.information.by_horizon]
    assert all(n is not None and -1.0 <= n <= 1.0 for n in numbers)


def test_tiles_are_of_a_capacity_only_where_the_gain_is_sure() -> None:
    assert next(t for t in tiles(SHEET) if t.label.startswith("Capacity")).value != "\u2013"
    noise = sheet_of(market(strength=0.0, seed=10))
    assert next(t for t in tiles(noise) if t.label.startswith("Capacity")).value == "\u2013"


def test_only_what_is_sure_is_green() -> None:
    noise = sheet_of(market(strength=0.0, seed=10))
    assert "good" not in {t.tone for t in tiles(noise)}
    assert {t.label for t in tiles(SHEET) if t.tone == "good"} >= {"Rank IC, mean", "Top minus bottom a year"}


@pytest.mark.parametrize(("trials", "expected"), [(0, None), (1, None), (2, 0.674), (20, 1.96), (100, 2.576)])
def test_luck(trials: int, expected: float | None) -> None:
    found = luck_t(trials)
    assert found is None if expected is None else found == pytest.approx(expected, abs=1e-3)
