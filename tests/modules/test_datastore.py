"""The store: versions are immutable, registering is all or nothing, the lockbox stays shut."""

from __future__ import annotations

import inspect
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.bundled import registration
from modules.contract import TIME
from modules.datastore import DataError, DataStore, DataVersion
from modules.ingest.adding import AddOptions, add_files
from tests.modules.ingest.tables import days, long_csv, write


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    return DataStore(tmp_path / "data")


def _frames_of(value: object) -> list[pl.DataFrame]:
    return [value] if isinstance(value, pl.DataFrame) else []


def test_no_public_function_returns_a_row_of_the_lockbox(store: DataStore, tmp_path: Path) -> None:
    add_files(store, "mine", [write(tmp_path, long_csv(50))])
    version = store.current("mine")
    arguments = {
        "current": ("mine",),
        "get": ("mine", "v1"),
        "has": ("mine",),
        "list": (),
        "raw": (version,),
        "holding": (registration("us5"),),
        "register": (registration("us5"),),
        "shown": (np.zeros(1, np.uint64), "mine"),
    }
    public = {n for n, f in inspect.getmembers(store, callable) if not n.startswith("_")}
    assert public == set(arguments), "a new public function must be shown here not to open the lockbox"
    edge = pl.lit(version.lockbox_start_ns).cast(TIME)
    seen = 0
    for name, args in arguments.items():
        for frame in _frames_of(getattr(store, name)(*args)):
            seen += 1
            assert frame.filter(pl.col("source_event_time") >= edge).is_empty()
            assert frame.get_column("date").max() == "2020-02-09"
    assert seen == 1


def test_periods_are_halves_and_fifths_of_the_distinct_times(store: DataStore, tmp_path: Path) -> None:
    version = add_files(store, "mine", [write(tmp_path, long_csv(50))]).version
    stamps = pl.Series(days(50)).str.to_datetime(time_unit="ns", time_zone="UTC").to_physical()
    assert (version.first_ns, version.last_ns) == (stamps[0], stamps[49])
    assert (version.mining_end_ns, version.lockbox_start_ns) == (stamps[25], stamps[40])
    assert (version.rows, version.symbols, version.start, version.end) == (50, 1, "2020-01-01", "2020-02-19")


def test_identical_content_is_one_version_whatever_the_format_and_order(store: DataStore, tmp_path: Path) -> None:
    first = add_files(store, "mine", [write(tmp_path, long_csv())]).version
    table = pl.read_csv(tmp_path / "prices.csv", try_parse_dates=True).reverse()
    table.write_parquet(tmp_path / "other.parquet")
    assert add_files(store, "mine", [tmp_path / "other.parquet"]).version == first
    assert len(store.list()) == 1


def test_a_changed_value_is_a_new_version_and_the_old_one_stays(store: DataStore, tmp_path: Path) -> None:
    first = add_files(store, "mine", [write(tmp_path, long_csv())]).version
    second = add_files(store, "mine", [write(tmp_path, long_csv(changes={3: "13.5"}))]).version
    assert (first.version, second.version, store.current("mine").version) == ("v1", "v2", "v2")
    assert store.raw(first).get_column("close")[3] == "13"
    assert store.raw(second).get_column("close")[3] == "13.5"
    assert store.get("mine", first.digest) == first
    assert add_files(store, "mine", [write(tmp_path, long_csv())]).version == first
    assert store.current("mine") == first


def test_registering_longer_history_does_not_unlock(store: DataStore, tmp_path: Path) -> None:
    short = add_files(store, "mine", [write(tmp_path, long_csv(50))]).version
    long = add_files(store, "mine", [write(tmp_path, long_csv(100))]).version
    assert long.version == "v2"
    assert long.lockbox_start_ns == short.lockbox_start_ns
    assert long.mining_end_ns < long.lockbox_start_ns
    assert store.raw(long).height == 40


def test_a_set_that_lies_wholly_in_the_lockbox_is_refused(store: DataStore, tmp_path: Path) -> None:
    add_files(store, "mine", [write(tmp_path, long_csv(50))])
    later = "\n".join(["date,symbol,close", *(f"{d},A,1{i}" for i, d in enumerate(days(20, "2021-01-01")))])
    with pytest.raises(DataError, match="lies in the lockbox of mine, which starts at 2020-02-10"):
        add_files(store, "mine", [write(tmp_path, later)])
    assert [v.version for v in store.list()] == ["v1"]


def test_a_row_whose_time_cannot_be_read_is_sealed(store: DataStore, tmp_path: Path) -> None:
    result = add_files(store, "mine", [write(tmp_path, long_csv(20, more=["soon,A,1"]))])
    assert result.refused == {"unparseable_time": 1}
    assert "soon" not in store.raw(result.version).get_column("date").to_list()


@pytest.mark.parametrize("damage", ["flip", "truncate", "replace", "remove"])
def test_damage_to_stored_rows_is_found(store: DataStore, tmp_path: Path, damage: str) -> None:
    version = add_files(store, "mine", [write(tmp_path, long_csv())]).version
    path = tmp_path / "data" / "mine" / "v1" / "raw_open.parquet"
    whole = path.read_bytes()
    if damage == "flip":
        middle = whole.index(b"\x28\xb5\x2f\xfd") + 12  # inside the first compressed page
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "truncate":
        path.write_bytes(whole[:-20])
    elif damage == "replace":
        table = pl.read_parquet(path)
        table.with_columns(pl.lit("9").alias("close")).write_parquet(path)
    else:
        path.unlink()
    with pytest.raises(DataError, match=r"mine v1: raw_open.parquet .*register the data again"):
        store.raw(version)


def test_damaged_meta_is_found(store: DataStore, tmp_path: Path) -> None:
    add_files(store, "mine", [write(tmp_path, long_csv())])
    meta = tmp_path / "data" / "mine" / "v1" / "meta.json"
    meta.write_text(meta.read_text()[:40])
    with pytest.raises(DataError, match=r"meta.json cannot be read"):
        store.current("mine")


def test_a_failed_registration_leaves_nothing(
    store: DataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("modules.datastore._sync", full)
    with pytest.raises(OSError, match="disk full"):
        add_files(store, "mine", [write(tmp_path, long_csv())])
    assert not (tmp_path / "data" / "mine" / "v1").exists()
    assert not store.has("mine")


def test_what_a_killed_process_left_is_cleared(store: DataStore, tmp_path: Path) -> None:
    add_files(store, "mine", [write(tmp_path, long_csv())])
    left = tmp_path / "data" / "mine" / ".new-abc"
    left.mkdir()
    (left / "raw_open.parquet").write_bytes(b"half")
    assert [v.version for v in store.list()] == ["v1"]
    add_files(store, "mine", [write(tmp_path, long_csv(30))])
    assert sorted(p.name for p in left.parent.iterdir()) == ["current", "v1", "v2"]


def test_processes_that_register_at_once_agree(store: DataStore, tmp_path: Path) -> None:
    path = write(tmp_path, long_csv())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: add_files(DataStore(tmp_path / "data"), "mine", [path]).version, range(4)))
    assert {v.version for v in found} == {"v1"}
    assert len(store.list()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("us2O", "did you mean 'us20'"),
        ("zzz", "cws data add zzz PATH"),
        ("../etc", "not a name for a data set"),
        ("", "not a name for a data set"),
    ],
)
def test_unknown_names_get_a_remedy(store: DataStore, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        store.current(name)


def test_unknown_version_names_those_there_are(store: DataStore) -> None:
    with pytest.raises(DataError, match=r"no version 'v9'; it has v1 \("):
        store.get("us5", "v9")


def test_bundled_names_are_reserved(store: DataStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="us20 is the name of a bundled set"):
        add_files(store, "us20", [write(tmp_path, long_csv())])


def test_meta_is_plain_json_that_loads_again(store: DataStore, tmp_path: Path) -> None:
    version = add_files(store, "mine", [write(tmp_path, long_csv())], AddOptions(currency="EUR")).version
    text = (tmp_path / "data" / "mine" / "v1" / "meta.json").read_text()
    assert json.loads(text)["ingest_settings"]["currency"] == "EUR"
    assert DataVersion.model_validate_json(text) == version


def test_one_time_is_too_short_to_hold_anything_back(store: DataStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 distinct times; give at least 2"):
        add_files(store, "mine", [write(tmp_path, "date,symbol,close\n2020-01-01,A,1\n2020-01-01,B,1\n")])
    assert not (tmp_path / "data" / "mine").exists()


def test_a_flipped_byte_anywhere_in_the_raw_rows_is_a_named_error(tmp_path: Path) -> None:
    """A parser fed a spoiled file may ask for more memory than there is, which ends the process."""
    store = DataStore(tmp_path / "data")
    version = store.current("us5")
    path = next((tmp_path / "data").rglob("raw_open.parquet"))
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        spoiled = bytearray(whole)
        spoiled[at] ^= 0x40
        path.write_bytes(bytes(spoiled))
        with pytest.raises(DataError, match="was changed or cut short"):
            store.raw(version)
    path.write_bytes(whole)
    assert store.raw(version).height > 0
