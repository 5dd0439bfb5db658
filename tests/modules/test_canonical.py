"""Digests name content.

1. Equal content has an equal digest, whatever NaN or zero bits it is made of and however it is stored.
2. Any change of a value, a name, an order of columns, a type or a validity bit changes the digest.
3. What has no canonical bytes is refused by name.
4. The bytes under a digest can be read back, in one way only: no two tables share them.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import modules.canonical as canonical
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


NULLS_LIKE_THE_MARK = [2, 4, 5, 7]  # as bits 00101101, which is "-"


def heights() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ten rows and a hundred: the last digit of the one height is the first validity byte of the other."""
    ten = pl.DataFrame({"s": ["\0" * 372, "", None, None, *[""] * 6]})
    bits = np.unpackbits(np.frombuffer(bytes([0, 0x74, 1, *[0] * 10]), dtype=np.uint8))[:100]
    return ten, pl.DataFrame({"s": [None if bit else "" for bit in bits]})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            pl.DataFrame({"x": [0] * 8}),
            pl.DataFrame({"x": [None if row in NULLS_LIKE_THE_MARK else 0 for row in range(8)]}),
        ),
        heights(),
        (pl.DataFrame({"a": ["b", "c"]}), pl.DataFrame({"a": ["bc", ""]})),
        (pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({'a","Int64"],["b': [1]})),
        (pl.DataFrame({"a": [None]}), pl.DataFrame({"a": [None]}, schema={"a": pl.String})),
        (pl.DataFrame({"a": ["x"]}), pl.DataFrame({"a": pl.Series(["x"], dtype=pl.Enum(["x"]))})),
        (pl.DataFrame({"a": [0]}), pl.DataFrame({"a": [0]}, schema={"a": pl.UInt64})),
        (pl.DataFrame({"a": [2**64 - 1]}, schema={"a": pl.UInt64}), pl.DataFrame({"a": [-1]})),
        (pl.DataFrame({"a": [0]}).cast(pl.Date), pl.DataFrame({"a": [0]}).cast(pl.Datetime("us"))),
        (pl.DataFrame({"a": [0]}).cast(pl.Datetime("us")), pl.DataFrame({"a": [0]}).cast(pl.Datetime("us", "UTC"))),
        (pl.DataFrame(), pl.DataFrame({"a": []})),
        (pl.DataFrame({"a": [True, False, None]}), pl.DataFrame({"a": [True, None, False]})),
    ],
    ids=["mark", "height", "text", "name", "null", "enum", "width", "sign", "date", "zone", "empty", "bits"],
)
def test_no_two_tables_share_a_digest(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert digest_table(one) != digest_table(other)


def test_the_upper_half_of_uint64_has_bytes_and_wider_integers_are_refused() -> None:
    top = pl.DataFrame({"n": [2**64 - 1, None]}, schema={"n": pl.UInt64})
    assert digest_table(top) != digest_table(pl.DataFrame({"n": [2**63, None]}, schema={"n": pl.UInt64}))
    with pytest.raises(TypeError, match="column n has type Int128"):
        digest_table(pl.DataFrame({"n": [1]}, schema={"n": pl.Int128}))


class Recorder:
    """A hash that keeps what it is given."""

    def __init__(self, start: bytes = b"") -> None:
        self.content = start

    def update(self, more: bytes) -> None:
        self.content += more

    def hexdigest(self) -> str:
        return self.content.hex()


def bytes_of(table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setattr(canonical.hashlib, "sha256", Recorder)
        found = bytes.fromhex(digest_table(table))
    assert hashlib.sha256(found).hexdigest() == digest_table(table)
    return found


def read_back(content: bytes) -> list[tuple[str, str, list[object]]]:
    """The table that canonical bytes stand for, by the rules of `digest_table` alone."""
    head = content.removeprefix(b"table/1\n").decode("latin1")
    schema, end = json.JSONDecoder().raw_decode(head)
    digits = re.match(r"[0-9]+", head[end:])
    assert digits is not None
    height, rest = int(digits[0]), content.removeprefix(b"table/1\n")[end + digits.end() :]
    columns = []

    def take(size: int) -> bytes:
        nonlocal rest
        assert len(rest) >= size
        taken, rest = rest[:size], rest[size:]
        return taken

    for name, dtype in schema:
        packed = (height + 7) // 8
        if rest[:1] == b"-":
            take(1)
            nulls = np.zeros(height, dtype=bool)
        else:
            if rest[:1] == b"+":
                take(1)
            nulls = np.unpackbits(np.frombuffer(take(packed), dtype=np.uint8))[:height].astype(bool)
        values: list[object]
        if dtype == "String":
            sizes = np.frombuffer(take(4 * height), dtype="<u4")
            values = [take(int(size)).decode() for size in sizes]
        elif dtype == "Boolean":
            values = np.unpackbits(np.frombuffer(take(packed), dtype=np.uint8))[:height].astype(bool).tolist()
        else:
            values = np.frombuffer(take(8 * height), dtype="<f8" if dtype == "Float64" else "<i8").tolist()
        columns.append((name, dtype, [None if null else v for v, null in zip(values, nulls, strict=True)]))
    assert rest == b""
    return columns


TEXT = st.text(st.characters(codec="ascii"), max_size=3)
CELLS = {
    pl.String(): TEXT | st.just("-") | st.just("\0" * 8),
    pl.Int64(): st.sampled_from([0, 1, -1, 0x2D, 0x2D2D2D2D2D2D2D2D]),
    pl.Boolean(): st.booleans(),
    pl.Float64(): st.sampled_from([0.0, 1.5, -2.0]),
}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    height = draw(st.sampled_from([0, 1, 7, 8, 9, 10, 16, 23]))
    names = draw(st.lists(TEXT, max_size=3, unique=True))
    columns = []
    for name in names:
        dtype = draw(st.sampled_from(list(CELLS)))
        cells = draw(st.lists(CELLS[dtype], min_size=height, max_size=height))
        bits = draw(st.sampled_from([0, 0x2D, 0x2B, 0x30, 0x39, 0xFF]) | st.integers(0, 255))
        values = [None if bits >> (7 - row % 8) & 1 else v for row, v in enumerate(cells)]
        columns.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(columns)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_the_bytes_can_be_read_back(table: pl.DataFrame) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        content = bytes_of(table, monkeypatch)
    assert read_back(content) == [(n, str(t), table.get_column(n).to_list()) for n, t in table.schema.items()]
