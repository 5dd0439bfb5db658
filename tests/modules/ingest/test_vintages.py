"""Vintages: what a later download changed is known from that download on, never before."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modules.bitemporal import as_of
from modules.contract import Context
from modules.datastore import DataError, DataStore
from modules.ingest.adding import AddOptions, add_files
from modules.ingest.files.contract import Inputs
from modules.ingest.files.run import run
from modules.ingest.files.settings import Settings
from modules.panel import ns
from tests.modules.ingest.tables import days, write


def _csv(close: dict[str, dict[str, str]]) -> str:
    rows = [f"{day},{symbol},{price}" for symbol, by_day in close.items() for day, price in by_day.items()]
    return "\n".join(["date,symbol,close", *rows]) + "\n"


FIRST = {"A": {d: str(100 + i) for i, d in enumerate(days(30))}}
# a 2:1 split halves what went before, one day was missing, and B is new to the set
SECOND = {
    "A": {d: str((100 + i) / 2 if i < 10 else 100 + i) for i, d in enumerate(days(40))},
    "B": dict.fromkeys(days(40), "7"),
}
KNOWN = "2020-02-12"


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    store = DataStore(tmp_path / "data")
    add_files(store, "mine", [write(tmp_path, _csv(FIRST), "first.csv")])
    add_files(store, "mine", [write(tmp_path, _csv(SECOND), "second.csv")], AddOptions(known_at=KNOWN))
    return store


def _records(store: DataStore) -> pl.DataFrame:
    version = store.current("mine")
    settings = Settings.model_validate(version.ingest_settings)
    return run(Inputs(raw=store.raw(version)), settings, Context(seed=0, start_ns=0)).records


def test_the_day_before_the_download_nothing_has_changed(store: DataStore) -> None:
    before = as_of(_records(store), ns(KNOWN) - 1)
    assert before.get_column("symbol").unique().to_list() == ["A"]
    assert before.get_column("close").to_list() == [100.0 + i for i in range(24)]


def test_from_the_download_on_the_new_values_stand(store: DataStore) -> None:
    after = as_of(_records(store), ns(KNOWN)).filter(pl.col("symbol") == "A")
    assert after.get_column("close").to_list() == [(100.0 + i) / 2 if i < 10 else 100.0 + i for i in range(24)]


def test_only_what_changed_is_a_restatement(store: DataStore) -> None:
    table = _records(store).filter(pl.col("symbol") == "A")
    again = table.filter(pl.struct("symbol", "event_time").is_duplicated())
    assert again.height == 2 * 10
    late = _records(store).filter(pl.col("symbol") == "B")
    assert late.get_column("available_at").min() == late.get_column("available_at").max()


def test_the_version_says_what_it_builds_on_and_keeps_the_lockbox(store: DataStore) -> None:
    first, second = store.list()
    assert (second.parent, second.lockbox_start_ns, second.rows) == ("v1", first.lockbox_start_ns, 30 + 80)
    assert store.raw(second).get_column("source_file").unique().sort().to_list() == ["first.csv", "second.csv"]


def test_adding_a_vintage_again_adds_nothing(store: DataStore, tmp_path: Path) -> None:
    again = add_files(store, "mine", [tmp_path / "second.csv"], AddOptions(known_at=KNOWN)).version
    assert again.version == "v2" and len(store.list()) == 2


def test_vintages_come_in_order(store: DataStore, tmp_path: Path) -> None:
    third = write(tmp_path, _csv({"A": dict.fromkeys(days(40), "5")}), "third.csv")
    with pytest.raises(DataError, match=r"downloaded at 2020-02-11, not after the one in v2 \(2020-02-12\)"):
        add_files(store, "mine", [third], AddOptions(known_at="2020-02-11"))


def test_a_vintage_of_another_layout_is_refused(store: DataStore, tmp_path: Path) -> None:
    other = write(tmp_path, _csv(SECOND).replace("close", "price"), "other.csv")
    with pytest.raises(DataError, match="other close_column than this vintage"):
        add_files(store, "mine", [other], AddOptions(known_at="2020-03-01"))


def test_files_named_by_vintage_need_no_option(tmp_path: Path) -> None:
    store = DataStore(tmp_path / "data")
    files = [
        write(tmp_path, _csv(t), n) for t, n in ((FIRST, "vintage_2020-01-31.csv"), (SECOND, f"vintage_{KNOWN}.csv"))
    ]
    add_files(store, "mine", list(reversed(files)))
    records = _records(store)
    assert as_of(records, ns(KNOWN) - 1).get_column("close")[0] == 100.0
    assert as_of(records, ns(KNOWN)).get_column("close")[0] == 50.0
