"""The feature store, whole and in order.

1. What was written comes back to the bit, missing values included; a part of it is the part.
2. Writing the same computation of the same bars again changes nothing on disk, and says so.
3. A changed definition or changed code is a computation beside the old one, which stays readable by its digest and
   by the version of the table.
4. A read as of a moment holds the values that could be known then, and none other.
5. Later bars add files and leave those there alone; changed history gets files of its own; many small files of one
   period become one.
6. What cannot be stored or is not stored is refused by name, and the message says what there is.
7. Any Delta reader sees the rows.
8. No bar of the lockbox gets in.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.featurestore import (
    Computed,
    FeatureStore,
    FeatureStoreError,
    NotStoredError,
    Wanted,
    build,
    building,
    identity,
    long_table,
    measured,
)
from modules.featurestore.piece import MAX_TAIL, cuts
from modules.panel import Panel
from modules.signal import evaluate, evaluate_all, parse
from tests.modules.featurestore.made import DAY, FIRST, SIGNALS, asked, made, made_bars, made_records, same_bits, stored

pytestmark = pytest.mark.slow


def files(root: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time of change."""
    return {
        p.relative_to(root).as_posix(): (p.stat().st_size, p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()
    }


def test_1_bits_come_back(tmp_path: Path) -> None:
    bars = made_bars(4_000, 3)
    of = made(bars)
    store, built = stored(tmp_path, of)
    assert built.written.files == 2 * len(SIGNALS), "4,000 days lie in two decades"
    expected = dict(zip(SIGNALS, evaluate_all(list(SIGNALS.values()), bars), strict=True))
    panel = store.read(asked(), of.source)
    assert np.array_equal(panel.ts, bars.ts) and panel.symbols == bars.symbols
    assert same_bits(panel, expected)
    assert np.isnan(panel["MEAN@1"]).any() and not np.isnan(panel["MEAN@1"]).all()


def test_1_a_period_is_that_part(tmp_path: Path) -> None:
    bars = made_bars(4_000, 2)
    of = made(bars)
    store, _ = stored(tmp_path, of)
    whole = store.read(asked(), of.source)
    for start, stop in ((0, 1), (10, 20), (3_640, 3_660), (3_999, 4_000)):
        part = store.read(asked(), of.source, start_ns=int(bars.ts[start]), end_ns=int(bars.ts[stop - 1]))
        assert np.array_equal(part.ts, bars.ts[start:stop])
        assert same_bits(part, {k: v[start:stop] for k, v in whole.fields.items()})


def test_1_slices_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SLICE_BYTES", 1)
    _, one = stored(tmp_path / "one")
    monkeypatch.undo()
    _, all_ = stored(tmp_path / "all")
    assert one.written.new == all_.written.new
    assert {k for k in files(tmp_path / "one") if "pieces" in k} == {
        k for k in files(tmp_path / "all") if "pieces" in k
    }


def test_2_writing_it_again_changes_nothing(tmp_path: Path) -> None:
    store, first = stored(tmp_path)
    before = files(tmp_path)
    _, again = stored(tmp_path)
    assert (len(first.written.new), first.written.there) == (len(SIGNALS), ())
    assert (again.written.new, again.written.files) == ((), 0)
    assert set(again.written.there) == set(asked())
    assert files(tmp_path) == before and again.written.version == first.written.version == store.state().version
    of = made()
    times = np.broadcast_to(of.available, of.bars.shape)
    item = Computed(asked()[0], evaluate(SIGNALS["STEP@1"], of.bars), times)
    assert store.write(of.source, of.bars, [item]).there == (asked()[0],), "also where nobody asked before"


def test_3_a_changed_definition_stands_beside(tmp_path: Path) -> None:
    of = made()
    store, _ = stored(tmp_path, of, {"STEP@1": SIGNALS["STEP@1"]})
    before, version = store.read(asked()[:1], of.source), store.state().version
    other = {"STEP@2": parse("log(close / delay(close, 1))")}
    build(store, of, other)
    assert same_bits(store.read(asked()[:1], of.source), before.fields)
    assert same_bits(store.read(asked(other), of.source), {"STEP@2": evaluate(other["STEP@2"], of.bars)})
    assert same_bits(store.read(asked()[:1], of.source, version=version), before.fields)
    with pytest.raises(NotStoredError, match="STEP@2 by computation"):
        store.read(asked(other), of.source, version=version)


def test_3_changed_code_stands_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = made()
    store, _ = stored(tmp_path, of)
    old = asked()
    before = store.read(old, of.source)
    monkeypatch.setattr(identity, "_code", lambda: "another kernel")
    new = asked()
    assert {w.feature for w in new} == {w.feature for w in old}
    assert not {w.computation for w in new} & {w.computation for w in old}
    with pytest.raises(NotStoredError, match=f"stored are the computations {old[0].computation[:12]}"):
        store.read(new[:1], of.source)
    assert len(build(store, of, SIGNALS).written.new) == len(SIGNALS)
    assert same_bits(store.read(old, of.source), before.fields)
    assert same_bits(store.read(new, of.source), before.fields)


def test_3_other_cleaning_of_the_same_data_stands_beside(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    close = made_bars()["close"].copy()
    close[30] *= 1.5
    mended = made(made_bars().with_fields(close=close))
    assert mended.source.version == made().source.version and mended.source.bars != made().source.bars
    with pytest.raises(NotStoredError, match="for these bars, which the data's cleaning made otherwise before"):
        store.read(asked(), mended.source)
    build(store, mended, SIGNALS)
    assert not same_bits(store.read(asked(), mended.source), store.read(asked(), made().source).fields)
    newest = dataclasses.replace(made().source, bars="")
    assert same_bits(store.read(asked(), newest), store.read(asked(), mended.source).fields)


@settings(max_examples=25, deadline=None)
@given(late=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 2), st.integers(0, 40)), max_size=6), at=st.data())
def test_4_a_read_as_of_holds_what_could_be_known(
    late: list[tuple[int, int, int]], at: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bars = made_bars(20, 3)
    available = np.repeat(bars.ts[:, None], 3, axis=1) + 16
    available = available // 1000 * 1000
    for row, column, days in late:
        available[row, column] += days * DAY
    of = made(bars, available)
    store, _ = stored(tmp_path_factory.mktemp("store"), of)
    moment = at.draw(st.sampled_from(sorted({int(t) + d for t in available.ravel() for d in (-1, 0)})))
    try:
        found = store.load(asked(), of.source, as_of_ns=moment)
    except NotStoredError:
        assert moment < min(int(b.min()) for b in store.load(asked(), of.source).available.values())
        return
    everything = store.load(asked(), of.source)
    panel = found.panel()
    for name, values in everything.values.items():
        known = everything.available[name] <= moment
        for row, stamp in enumerate(everything.ts):
            here = np.flatnonzero(panel.ts == stamp)
            if here.size:
                expected = np.where(known[row], values[row], np.nan)
                assert panel[name][here[0]].tobytes() == expected.tobytes()
            else:
                assert not any((everything.available[n] <= moment)[row].any() for n in everything.values)
    assert (long_table(found, moment).get_column("available_at").dt.timestamp("ns") <= moment).all()


def test_4_before_the_first_bar(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    with pytest.raises(NotStoredError, match=r"was known by 1999-12-31; the first values were known at 2000-01-01T16"):
        store.read(asked(), made().source, as_of_ns=FIRST - DAY)


def test_5_later_bars_add_files_and_leave_the_others_alone(tmp_path: Path) -> None:
    first = made(made_bars(400))
    store, _ = stored(tmp_path, first)
    before = files(tmp_path)
    early = store.read(asked(), first.source)
    second = made(made_bars(410), version="w" * 64)
    built = build(store, second, SIGNALS)
    assert len(built.written.new) == built.written.files == len(SIGNALS), "one file of the new bars each"
    after = files(tmp_path)
    kept = {k: v for k, v in before.items() if "pieces" in k or "_delta_log" in k}
    assert kept.items() <= after.items()
    added = sum(size for k, (size, _) in after.items() if "pieces" in k and k not in before)
    assert added < 0.5 * sum(size for k, (size, _) in before.items() if "pieces" in k)
    assert same_bits(store.read(asked(), first.source), early.fields)
    expected = dict(zip(SIGNALS, evaluate_all(list(SIGNALS.values()), second.bars), strict=True))
    assert same_bits(store.read(asked(), second.source), expected)


def test_5_changed_history_shares_what_is_before_it(tmp_path: Path) -> None:
    bars = made_bars(8_000, 2)
    first = made(bars)
    store, built = stored(tmp_path, first, {"STEP@1": SIGNALS["STEP@1"]})
    assert built.written.files == 3
    close = bars["close"].copy()
    close[5_000] *= 1.1
    second = made(bars.with_fields(close=close), version="w" * 64)
    assert build(store, second, {"STEP@1": SIGNALS["STEP@1"]}).written.files == 2, "the first decade is the same"
    for of in (first, second):
        assert same_bits(store.read(asked()[:1], of.source), {"STEP@1": evaluate(SIGNALS["STEP@1"], of.bars)})


def test_5_many_small_files_of_one_period_become_one(tmp_path: Path) -> None:
    one = {"STEP@1": SIGNALS["STEP@1"]}
    store = FeatureStore(tmp_path)
    counts = []
    for day in range(MAX_TAIL + 3):
        of = made(made_bars(100 + day, 2), version=f"{day:064d}")
        build(store, of, one)
        counts.append(len(list(store.state().builds.values())[-1].pieces))
        assert same_bits(store.read(asked(one), of.source), {"STEP@1": evaluate(one["STEP@1"], of.bars)})
    assert counts == [*range(1, MAX_TAIL + 1), 1, 2, 3]


@pytest.mark.parametrize(
    ("days", "symbols", "pieces"),
    [(2_500, 20, 1), (2_500, 500, 7), (60, 20_000, 2), (3, 600_000, 3)],
    ids=["decade", "year", "month", "day"],
)
def test_5_pieces_follow_the_calendar(days: int, symbols: int, pieces: int) -> None:
    ts = FIRST + DAY * np.arange(days, dtype=np.int64)
    spans = cuts(ts, symbols, 0)
    assert len(spans) == pieces and spans[0][0] == 0 and spans[-1][1] == days
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert cuts(ts, symbols, spans[-1][0] + 1) == ([] if spans[-1][0] + 1 == days else [(spans[-1][0] + 1, days)])


def test_6_what_is_not_stored_is_named_with_what_is(tmp_path: Path) -> None:
    of = made()
    empty = FeatureStore(tmp_path / "none")
    with pytest.raises(NotStoredError, match="the store is empty"):
        empty.read(asked(), of.source)
    assert not (tmp_path / "none").exists(), "reading makes nothing"
    store, _ = stored(tmp_path / "some", of)
    other = dataclasses.replace(of.source, data="yours", version="y" * 64)
    for wanted, source, said in (
        (Wanted("NOPE@1", "c" * 64), of.source, r"NOPE@1 .* stored are 3 features: MEAN@1, RANK@1, STEP@1"),
        (Wanted("STEP@1", "c" * 64), of.source, r"is not stored; stored are the computations \w{12}"),
        (asked()[0], other, r"of yours \(yyyyyyyyyyyy\) is not stored; it is stored for mine \(vvvvvvvvvvvv\)"),
    ):
        with pytest.raises(NotStoredError, match=said):
            store.read([wanted], source)
    with pytest.raises(NotStoredError, match="has no version 9; its last is 1"):
        store.read(asked(), of.source, version=9)
    with pytest.raises(NotStoredError, match="has no bar in that period; it reaches from 2000-01-01 to 2000-02-29"):
        store.read(asked(), of.source, start_ns=FIRST + 900 * DAY)
    with pytest.raises(FeatureStoreError, match="no feature was asked for"):
        store.read([], of.source)


def test_6_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    of, store = made(), FeatureStore(tmp_path)
    shape = of.bars.shape
    item = Wanted("X@1", "c" * 64)
    for values, available, said in (
        (np.zeros((3, 3)), of.available, r"X@1 has shape \(3, 3\)"),
        (np.full(shape, np.inf), of.available, "X@1 holds infinite values"),
        (np.zeros(shape), of.available + 1, "available_at 9467424000000000"),
    ):
        with pytest.raises(FeatureStoreError, match=said):
            store.write(of.source, of.bars, [Computed(item, values, available)])
    empty = Panel(of.bars.ts[:0], of.bars.symbols, {"close": np.empty((0, 3))})
    with pytest.raises(FeatureStoreError, match="are empty"):
        store.write(of.source, empty, [])
    assert store.state().version == -1


def test_6_other_bits_by_the_same_computation_are_a_contradiction(tmp_path: Path) -> None:
    of = made()
    store, _ = stored(tmp_path, of)
    values = evaluate(SIGNALS["STEP@1"], of.bars).copy()
    values[7, 1] = np.nextafter(values[7, 1], 9.0) if values[7, 1] == values[7, 1] else 1.0
    with pytest.raises(FeatureStoreError, match=r"STEP@1 .* gave other bits for the same bars of mine"):
        store.write(of.source, of.bars, [Computed(asked()[0], values, of.available)])


def test_6_features_that_the_bars_do_not_allow_are_named_and_the_others_stored(tmp_path: Path) -> None:
    signals = {**SIGNALS, "LONG@1": parse("ts_mean(close, 500)"), "FLOW@1": parse("ts_mean(volume, 5)")}
    store, built = stored(tmp_path, made(), signals)
    assert set(built.refused) == {"LONG@1", "FLOW@1"}
    assert "look-back of 500 bars" in built.refused["LONG@1"] and "volume" in built.refused["FLOW@1"]
    assert {w.feature for w in built.written.new} == set(SIGNALS)
    assert same_bits(
        store.read(asked(), made().source),
        dict(zip(SIGNALS, evaluate_all(list(SIGNALS.values()), made().bars), strict=True)),
    )


def test_7_any_delta_reader_sees_the_rows(tmp_path: Path) -> None:
    from deltalake import DeltaTable

    of = made()
    store, _ = stored(tmp_path, of)
    expected = long_table(store.load(asked()[:1], of.source)).with_columns(
        pl.col("event_time", "available_at").cast(pl.Datetime("us", "UTC"))
    )
    wanted = asked()[0]
    predicate = f"feature = 'STEP@1' AND computation = '{wanted.computation}' AND data_version = '{of.source.version}'"
    scanned = pl.DataFrame(DeltaTable(str(tmp_path)).scan(predicate=predicate))
    lazily = pl.scan_delta(str(tmp_path)).filter(pl.col("feature") == "STEP@1").collect()
    for found in (scanned, lazily):
        assert found.columns == [
            "event_time", "available_at", "symbol", "feature", "value", "computation", "data", "data_version",
        ]  # fmt: skip
        assert found.sort("event_time", "symbol").select(expected.columns).equals(expected.sort("event_time", "symbol"))
    late = pl.scan_delta(str(tmp_path)).filter(
        pl.col("event_time") >= pl.lit(FIRST + 59 * DAY).cast(pl.Datetime("ns", "UTC"))
    )
    assert late.collect().height == 3 * len(SIGNALS)


def test_8_no_bar_of_the_lockbox_gets_in(tmp_path: Path) -> None:
    bars = made_bars()
    with pytest.raises(FeatureStoreError, match="into its lockbox, which begins at 2000-02-29"):
        measured("mine", "v" * 64, bars, made_records(bars), int(bars.ts[-1]))
    of = made(bars)
    source = dataclasses.replace(of.source, lockbox_ns=int(bars.ts[-1]))
    with pytest.raises(FeatureStoreError, match="lies in the lockbox of mine"):
        FeatureStore(tmp_path).write(source, bars, [])
