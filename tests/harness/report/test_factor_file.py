"""Factor files: read by what they hold, refused by name, value, rule and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from harness.report.factorfile import FactorError, read_factors
from modules.panel import ns
from tests.harness.report.build import weekdays

TS = weekdays("2020-01-01", 300)
DAYS = [str(d) for d in TS.astype("datetime64[ns]").astype("datetime64[D]")]
RETURNS = np.random.default_rng(0).normal(0, 0.01, 300)


def written(folder: Path, text: str, name: str = "factors.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def lines(times: list[str], head: str = "date,mkt,smb") -> str:
    return "\n".join([head, *(f"{t},{r},{-r}" for t, r in zip(times, RETURNS, strict=False))]) + "\n"


@pytest.mark.parametrize(
    "times", [DAYS, [d.replace("-", "") for d in DAYS], [f"{d}T00:00:00Z" for d in DAYS], [f" {d} " for d in DAYS]]
)
def test_times_as_published_files_write_them(tmp_path: Path, times: list[str]) -> None:
    found = read_factors(written(tmp_path, lines(times))).on(TS)
    assert found.names == ("mkt", "smb") and found.returns[:, 0] == pytest.approx(RETURNS)


def test_parquet_in_any_order_and_gaps_stay_unknown(tmp_path: Path) -> None:
    rows = np.r_[np.arange(299, 99, -1)]
    table = pl.DataFrame({"time": TS[rows], "mkt": RETURNS[rows]}).with_columns(pl.col("time").cast(pl.Datetime("ns")))
    table.write_parquet(tmp_path / "f.parquet")
    found = read_factors(tmp_path / "f.parquet").on(TS)
    assert np.isnan(found.returns[:100, 0]).all() and found.returns[100:, 0] == pytest.approx(RETURNS[100:])


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("", "is no table", "header"),
        ("date,mkt\n", "has 0 rows", "give 1 to"),
        ("day,mkt\n2020-01-01,0.01\n", "no column of times; it has day, mkt", "event_time"),
        ("date\n2020-01-01\n", "0 factor columns", "give 1 to 20"),
        ("date," + ",".join(f"f{k}" for k in range(21)) + "\n2020-01-01" + ",0" * 21 + "\n", "21 factor columns", "20"),
        ("date,mkt\n2020-01-01,0.01\nyesterday,0.02\n", "date of row 2 is 'yesterday'", "2024-01-31"),
        ("date,mkt\n2020-01-01,high\n", "mkt of row 1 is 'high'", "0.01 is 1 %"),
        ("date,mkt\n2020-01-01,inf\n", "mkt holds infinity", "empty"),
        ("date,mkt\n2020-01-01,\n", "mkt", "fractions"),
        ("date,mkt\n2020-01-01,0.01\n2020-01-01,0.02\n", "2020-01-01 stands twice", "one row"),
        ("date,mkt\n2020-01-01,1.2\n2020-01-02,-0.9\n2020-01-03,0.4\n", "deviation of 0.8", "divide percent by 100"),
        ("date,mkt\n20201345,0.01\n", "date of row 1 is 20201345", "2024-01-31"),
        ("date,mkt\n1.5,0.01\n", "date is of type Float64", "2024-01-31"),
        (f"date,{'m' * 41}\n2020-01-01,0.01\n", "has 41 letters", "at most 40"),
        ("\x00\xff\x00,\n\x00", "factors.csv", ""),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, said: str, remedy: str) -> None:
    with pytest.raises(FactorError) as caught:
        read_factors(written(tmp_path, text))
    assert said in str(caught.value) and remedy in caught.value.remedy


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FactorError, match=r"cannot be read|no table"):
            read_factors(path)


def test_other_times_and_another_pace_are_refused(tmp_path: Path) -> None:
    months = [d for d in DAYS if d.endswith("-01")]
    with pytest.raises(FactorError, match="has a row for"):
        read_factors(written(tmp_path, lines(months))).on(TS)
    with pytest.raises(FactorError, match="none of its 300 rows") as caught:
        read_factors(written(tmp_path, lines(DAYS))).on(TS + ns("1970-01-01T14:30:00"))
    assert "midnight" in caught.value.remedy
