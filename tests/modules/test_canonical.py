"""Digests name content.

1. Equal content has an equal digest, whatever NaN or zero bits it is made of and however it is stored.
2. Any change of a value, a name, an order of columns, a type or a validity bit changes the digest.
3. What has no canonical bytes is refused by name.
"""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modules.canonical import canonical_json, digest_panel, digest_table
from modules.panel import Panel

QUIET_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000))[0]
OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]

TABLE = pl.DataFrame(
    {
        "symbol": ["A", "B", None],
        "price": [1.0, -0.0, float("nan")],
        "lots": [1, None, 3],
        "ok": [True, False, None],
        "time": [datetime(2020, 1, 1, tzinfo=UTC), None, datetime(2020, 1, 3, tzinfo=UTC)],
    }
)


def panel(values: np.ndarray) -> Panel:
    return Panel(np.arange(values.shape[0], dtype=np.int64), tuple("abcdefgh"[: values.shape[1]]), {"x": values})


def test_nan_and_zero_have_one_bit_pattern() -> None:
    a = panel(np.array([[QUIET_NAN, 0.0]]))
    b = panel(np.array([[OTHER_NAN, -0.0]]))
    assert a["x"].tobytes() != b["x"].tobytes()
    assert digest_panel(a) == digest_panel(b)
    assert digest_table(TABLE) == digest_table(TABLE.with_columns(pl.Series("price", [1.0, 0.0, OTHER_NAN])))


def test_digest_survives_storage() -> None:
    parquet, ipc = io.BytesIO(), io.BytesIO()
    TABLE.write_parquet(parquet)
    TABLE.write_ipc(ipc)
    parquet.seek(0), ipc.seek(0)
    assert digest_table(pl.read_parquet(parquet)) == digest_table(pl.read_ipc(ipc)) == digest_table(TABLE)
    assert digest_table(pl.concat([TABLE.head(1), TABLE.tail(2)], rechunk=False)) == digest_table(TABLE)


@pytest.mark.parametrize(
    "changed",
    [
        TABLE.rename({"lots": "lot"}),
        TABLE.select("price", "symbol", "lots", "ok", "time"),
        TABLE.with_columns(pl.col("lots").cast(pl.Int32)),
        TABLE.with_columns(pl.col("lots").fill_null(0)),
        TABLE.with_columns(pl.col("symbol").fill_null("")),
        TABLE.with_columns(pl.col("ok").fill_null(False)),
        TABLE.with_columns(symbol=pl.Series(["AB", "", None])),
        TABLE.with_columns(pl.col("time").dt.offset_by("1us")),
        TABLE.head(2),
        TABLE.with_columns(price=pl.Series([np.nextafter(1.0, 2.0), -0.0, float("nan")])),
    ],
    ids=["name", "order", "type", "null-int", "null-text", "null-bool", "text-boundary", "time", "rows", "one-ulp"],
)
def test_every_change_changes_the_digest(changed: pl.DataFrame) -> None:
    assert digest_table(changed) != digest_table(TABLE)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(allow_nan=True, width=64)),
    st.data(),
)
def test_one_changed_cell_changes_a_panel_digest(values: np.ndarray, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, values.shape[0] - 1))
    column = data.draw(st.integers(0, values.shape[1] - 1))
    changed = values.copy()
    old = changed[row, column]
    changed[row, column] = 1.5 if np.isnan(old) or np.isinf(old) else np.nextafter(old, np.inf)
    same = np.isnan(old) or changed[row, column] + 0.0 == old + 0.0
    if not same or np.isnan(old):
        assert digest_panel(panel(changed)) != digest_panel(panel(values))


def test_symbols_times_and_field_names_count() -> None:
    base = panel(np.ones((3, 2)))
    assert digest_panel(base) != digest_panel(Panel(base.ts, ("a", "z"), dict(base.fields)))
    assert digest_panel(base) != digest_panel(Panel(base.ts + 1, base.symbols, dict(base.fields)))
    assert digest_panel(base) != digest_panel(Panel(base.ts, base.symbols, {"y": base["x"]}))


def test_a_type_without_canonical_bytes_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="column legs has type"):
        digest_table(pl.DataFrame({"legs": [[1, 2], [3]]}))


def test_canonical_json_refuses_nan_and_ignores_order() -> None:
    assert canonical_json({"b": 1, "a": [1, 2]}) == '{"a":[1,2],"b":1}'
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})
