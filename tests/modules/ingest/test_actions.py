"""Corporate actions on their way into the records: columns of a price file, and files of their own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modules.bitemporal import as_of
from modules.contract import Context, check_ports
from modules.datastore import DataError, DataStore
from modules.ingest import actions
from modules.ingest.adding import AddOptions, AddResult, add_files
from modules.ingest.files.acceptance import accept
from modules.ingest.files.contract import Inputs, Outputs
from modules.ingest.files.run import run
from modules.ingest.files.settings import Settings
from modules.panel import ns
from tests.modules.ingest.tables import days, write

HEADER = "date,symbol,close,split_coefficient,dividend_amount,in_index"
REFUSED_COLUMNS = [
    ("impossible_split", "2021-01-01,A,1,-2,0,1"),
    ("impossible_split", "2021-01-01,A,1,inf,0,1"),
    ("negative_dividend", "2021-01-01,A,1,1,-0.5,1"),
    ("member_not_0_or_1", "2021-01-01,A,1,1,0,2"),
]
REFUSED_ACTIONS = [
    ("action_without_time", "A,someday,split,2,"),
    ("action_without_symbol", ",2020-01-05,split,2,"),
    ("unknown_action", "A,2020-01-05,spinoff,2,"),
    ("action_without_value", "A,2020-01-05,split,,"),
    ("action_without_value", "A,2020-01-05,dividend,much,"),
    ("split_not_positive", "A,2020-01-05,split,0,"),
    ("split_not_positive", "A,2020-01-05,split,-2,"),
    ("negative_dividend", "A,2020-01-05,dividend,-1,"),
    ("delisting_return_below_minus_one", "A,2020-01-05,delisting,-1.5,"),
    ("member_not_0_or_1", "A,2020-01-05,member,0.5,"),
    ("rename_without_new_symbol", "A,2020-01-05,rename,,"),
    ("rename_without_new_symbol", "A,2020-01-05,rename,,A"),
    ("unknown_symbol", "ZZZ,2020-01-05,split,2,"),
    ("conflicting_action", "A,2020-01-03,split,3,"),
    ("conflicting_rename", "A,2020-01-10,rename,,B"),
    ("duplicate_action", "A,2020-01-03,split,2,"),
]


def prices(*symbols: str, count: int = 20) -> str:
    return "\n".join(["date,symbol,close", *(f"{d},{s},{10 + i}" for s in symbols for i, d in enumerate(days(count)))])


def add(folder: Path, bars: str, acts: str | None = None, **options: object) -> AddResult:
    file = None if acts is None else write(folder, "symbol,date,kind,value,new_symbol\n" + acts, "actions.csv")
    chosen = AddOptions.model_validate({"max_refused_share": 0.5, "actions": file, **options})
    return add_files(DataStore(folder / "data"), "mine", [write(folder, bars)], chosen)


def ingest(folder: Path, result: AddResult) -> Outputs:
    inputs = Inputs(raw=DataStore(folder / "data").raw(result.version))
    settings = Settings.model_validate(result.version.ingest_settings)
    outputs = run(inputs, settings, Context(seed=0, start_ns=0))
    check_ports("ingest", "files", "outputs", outputs)
    assert accept(inputs, outputs, settings) == []
    return outputs


def stated(records: pl.DataFrame, *fields: str) -> dict[tuple[str, str], tuple[float | None, ...]]:
    """(symbol, day) to the actions stated for it."""
    rows = records.filter(pl.any_horizontal(pl.col(f).is_not_null() for f in fields))
    day = rows.get_column("event_time").dt.to_string("%Y-%m-%d")
    return {(s, d): values for s, d, values in zip(rows["symbol"], day, rows.select(fields).iter_rows(), strict=True)}


def test_columns_of_actions_are_found_and_ones_and_zeros_are_none(tmp_path: Path) -> None:
    rows = [
        f"{d},A,{20 if i < 5 else 10},{2.0 if i == 5 else 1.0},{0.25 if i == 3 else 0},1"
        for i, d in enumerate(days(20))
    ]
    result = add(tmp_path, "\n".join([HEADER, *rows]))
    assert (result.guess.settings.split_column, result.guess.settings.member_column) == (
        "split_coefficient",
        "in_index",
    )
    records = ingest(tmp_path, result).records
    assert stated(records, "split", "dividend") == {("A", "2020-01-04"): (None, 0.25), ("A", "2020-01-06"): (2.0, None)}
    assert records["member"].unique().to_list() == [1.0]


def test_a_set_without_actions_has_the_records_and_the_settings_it_always_had(tmp_path: Path) -> None:
    result = add(tmp_path, prices("A"))
    assert not {"split_column", "dividend_column", "member_column"} & set(result.version.ingest_settings)
    assert ingest(tmp_path, result).records.columns == [
        "symbol", "event_time", "available_at", "open", "high", "low", "close", "adj_close", "volume",
    ]  # fmt: skip


@pytest.mark.parametrize(("rule", "row"), REFUSED_COLUMNS)
def test_a_row_with_an_impossible_action_is_refused(tmp_path: Path, rule: str, row: str) -> None:
    result = add(tmp_path, "\n".join([HEADER, *(f"{d},A,10,1,0,1" for d in days(20)), row]))
    assert result.refused == {rule: 1}


def test_every_rule_of_actions_is_tested() -> None:
    assert {rule for rule, _ in REFUSED_ACTIONS} == set(actions.RULES)


@pytest.mark.parametrize(("rule", "row"), REFUSED_ACTIONS)
def test_a_bad_action_is_refused_under_its_rule_and_named(tmp_path: Path, rule: str, row: str) -> None:
    result = add(tmp_path, prices("A", "B"), "\n".join(["A,2020-01-03,split,2,", row]))
    count = 2 if rule == "conflicting_action" else 1
    assert result.refused == {rule: count}
    assert result.first_refused[rule][0].startswith("actions.csv row ")
    kept = stated(ingest(tmp_path, result).records, "split") if rule != "conflicting_action" else {}
    assert kept == ({} if rule == "conflicting_action" else {("A", "2020-01-03"): (2.0,)})


def test_a_file_of_actions_stands_beside_the_bars(tmp_path: Path) -> None:
    acts = """B,2020-01-02,split,3:2,
A,2020-01-04,split,7:1,
A,2020-01-04,dividend,0.5,
B,2020-01-05,Delisted,-0.3,
A,2020-01-06,member,1,
"""
    result = add(tmp_path, prices("A", "B"), acts)
    assert result.refused == {}
    records = ingest(tmp_path, result).records
    assert stated(records, "split", "dividend", "delisting", "member") == {
        ("B", "2020-01-02"): (1.5, None, None, None),
        ("A", "2020-01-04"): (7.0, 0.5, None, None),
        ("B", "2020-01-05"): (None, None, -0.3, None),
        ("A", "2020-01-06"): (None, None, None, 1.0),
    }
    assert records.filter(pl.col("close").is_null()).is_empty()


def test_an_action_on_a_day_without_a_bar_is_a_record_without_prices(tmp_path: Path) -> None:
    bars = "\n".join(line for line in prices("A", "B").splitlines() if line != "2020-01-04,B,13")
    result = add(tmp_path, bars, "B,2020-01-04,split,2,\nB,2020-01-04,delisting,,")
    records = ingest(tmp_path, result).records
    alone = records.filter(pl.col("close").is_null()).row(0, named=True)
    assert (alone["symbol"], f"{alone['event_time']:%m-%d}", alone["split"], alone["delisting"]) == (
        "B",
        "01-04",
        2.0,
        0.0,
    )
    assert as_of(records, ns("2020-01-04")).filter(pl.col("split").is_not_null()).is_empty()  # known when its day ends


def test_a_renamed_symbol_bears_its_last_name_throughout(tmp_path: Path) -> None:
    lines = [f"{d},{'FB' if i < 4 else 'MVRS' if i < 8 else 'META'},{10 + i}" for i, d in enumerate(days(20))]
    acts = "FB,2020-01-05,rename,,MVRS\nMVRS,2020-01-09,symbol change,,META\nFB,2020-01-02,dividend,0.5,"
    result = add(tmp_path, "\n".join(["date,symbol,close", *lines]), acts)
    assert "FB bears the name MVRS from its first bar on" in result.notes
    outputs = ingest(tmp_path, result)
    assert outputs.records["symbol"].unique().to_list() == ["META"] == outputs.instruments["symbol"].to_list()
    assert outputs.records.filter(pl.col("close").is_not_null()).height == 16  # the lockbox holds the other 4
    assert stated(outputs.records, "dividend") == {("META", "2020-01-02"): (0.5,)}


def test_actions_in_the_lockbox_are_sealed(tmp_path: Path) -> None:
    result = add(tmp_path, prices("A"), f"A,{days(20)[18]},split,2,\nA,{days(20)[17]},split,-3,\nA,2020-01-03,split,2,")
    assert result.refused == {"split_not_positive": 1}
    assert "lockbox" in result.first_refused["split_not_positive"][0]
    assert list(stated(ingest(tmp_path, result).records, "split")) == [("A", "2020-01-03")]


def test_a_wide_file_takes_actions_too(tmp_path: Path) -> None:
    rows = "\n".join(f"{d},{10 + i},{20 + i}" for i, d in enumerate(days(20)))
    records = ingest(tmp_path, add(tmp_path, f"date,AAA,BBB\n{rows}\n", "BBB,2020-01-03,split,2,")).records
    assert stated(records, "split") == {("BBB", "2020-01-03"): (2.0,)}
    assert records.height == 32


SPLIT_AWAY = [f"{d},A,{10 + 0.1 * i},{2.0 if i == 5 else 0.0}" for i, d in enumerate(days(20))]


def test_splits_beside_a_close_that_is_adjusted_for_them_are_not_used(tmp_path: Path) -> None:
    result = add(tmp_path, "\n".join(["date,symbol,close,stock_splits", *SPLIT_AWAY]))
    assert result.guess.settings.split_column == ""
    assert "the close is adjusted for splits already: stock_splits is not used" in result.notes
    with pytest.raises(DataError, match="adjusted for splits already"):
        add(tmp_path, "\n".join(["date,symbol,close,stock_splits", *SPLIT_AWAY]), split_column="stock_splits")


def test_actions_beside_an_adjusted_close_alone_are_not_used(tmp_path: Path) -> None:
    rows = "\n".join(f"{d},A,10,1,0.1" for d in days(20))
    result = add(tmp_path, f"date,symbol,adj_close,split,dividend\n{rows}\n")
    assert result.guess.settings.actions == ()


def test_a_column_of_actions_may_be_left_out(tmp_path: Path) -> None:
    rows = "\n".join(f"{d},A,10,1,0.1" for d in days(20))
    result = add(tmp_path, f"date,symbol,close,split,dividend\n{rows}\n", dividend_column="none")
    assert result.guess.settings.actions == ("split",)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [("symbol,when,value\nA,2020-01-01,2\n", {}, "no column date, kind"),
     ("symbol,date,kind,value\nA,2020-01-03,split,2\n", {"known_at": "2020-03-01"}, "together")],
)  # fmt: skip
def test_a_file_that_is_no_file_of_actions_is_refused(
    tmp_path: Path, text: str, options: dict[str, object], message: str
) -> None:
    file = write(tmp_path, text, "actions.csv")
    with pytest.raises(DataError, match=message):
        add(tmp_path, prices("A"), None, **{"actions": file, **options})
