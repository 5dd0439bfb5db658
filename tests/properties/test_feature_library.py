"""What holds of every feature of the library, on made panels with gaps and extremes and on the bundled data.

1. Batch equals stream, with the stream restarted from its checkpoint, through JSON, on the way: to the bit.
2. Truncation: taking later rows away changes no earlier bit.
3. Order of symbols: permuted symbols give the permuted result, to the bit.
4. No infinities; NaN and zero have one form.
5. On bundled data every feature has a value somewhere and tells symbols apart.
6. What depends on the level of adjusted prices or volumes says so, and nothing else does.

Features that land later are covered by being in the library.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.feature.library import library
from modules.feature.row import Feature
from modules.panel import FloatArray, Panel
from modules.signal import Checkpoint, Stream, fields_of, warmup
from modules.signal.batch import compute
from modules.signal.measure import tells_apart
from modules.signal.operators import Kind, Operator, registered
from modules.signal.prove import level_difference
from modules.signal.units import FIELD_UNITS, Loose, of
from tests.modules.signal.panels import bits, make_panel
from tests.pipelines import Desk

pytestmark = pytest.mark.slow

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Warm-ups in bars up to which features share a panel; longer ones have one of their own."""
ROWS_AFTER = 12
FEATURES = library()

# Reads prices beside deviations of returns, which are smaller than any price in the data.
LEVEL_UNSEEN = {"alpha001"}


def made(seed: int, rows: int, symbols: int = 5, *, rough: bool = True) -> Panel:
    """Bars, groups, and a positive walk for whatever else some feature reads."""
    panel = make_panel(seed, rows, symbols, rough=rough)
    rng = np.random.default_rng(seed)
    extra: dict[str, FloatArray] = {}
    for name in sorted({f for row in FEATURES for f in fields_of(row.node)} - set(panel.fields)):
        if FIELD_UNITS.get(name) is Loose.GROUP:
            extra[name] = np.broadcast_to(rng.integers(0, 2, symbols).astype(float), (rows, symbols))
        else:
            extra[name] = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (rows, symbols)), axis=0))
    return panel.with_fields(**extra)


@functools.cache
def bundled(name: str) -> Panel:
    """The cleaned bars and groups of a bundled data set, as a feature module gets them."""
    import tempfile
    from pathlib import Path

    from modules.groups import with_groups

    with tempfile.TemporaryDirectory() as home:
        desk = Desk(Path(home), data_name=name)
        manifest = desk.run(until="clean")
        bars, instruments = desk.store.get(manifest.output("bars")), desk.store.get(manifest.output("instruments"))
    assert isinstance(bars, Panel)
    return with_groups(bars, instruments)  # type: ignore[arg-type]


def batches(features: Sequence[Feature], fields: set[str]) -> Iterator[tuple[int, list[Feature]]]:
    """Rows to compute, and the features of about that warm-up that `fields` allow."""
    by_length: dict[int, list[Feature]] = {}
    for row in features:
        if fields_of(row.node) <= fields:
            need = warmup(row.node)
            by_length.setdefault(next((n for n in LENGTHS if need <= n), need), []).append(row)
    for length, rows in sorted(by_length.items()):
        yield length + ROWS_AFTER, rows


def checked_bits(panel_of: Callable[[int], Panel], seed: int, features: Sequence[Feature] = FEATURES) -> int:
    """Invariants 1 to 4 for every feature that the panel's fields allow; how many those are."""
    rng = np.random.default_rng(seed)
    count = 0
    for length, rows in batches(features, set(panel_of(LENGTHS[0]).fields)):
        panel = panel_of(length)
        nodes = [row.node for row in rows]
        full = compute(nodes, panel)

        cut = int(rng.integers(1, length))
        order = rng.permutation(len(panel.symbols))
        permuted = Panel(
            panel.ts, tuple(panel.symbols[i] for i in order), {k: v[:, order] for k, v in panel.fields.items()}
        )
        for row, values, short, moved in zip(
            rows, full, compute(nodes, panel.rows(0, cut)), compute(nodes, permuted), strict=True
        ):
            assert bits(short) == bits(values[:cut]), f"{row.reference} reads rows after {cut}"
            assert bits(moved) == bits(values[:, order]), f"{row.reference} depends on the order of symbols"
            assert not np.isinf(values).any(), row.reference
            assert not np.signbit(values[values == 0.0]).any(), row.reference
            assert set(values[np.isnan(values)].view(np.uint64).tolist()) <= {0x7FF8000000000000}, row.reference
            restarts = set(rng.integers(1, length, 2).tolist())
            assert bits(streamed(row, panel, restarts)) == bits(values), f"{row.reference} differs in the stream"
            count += 1
    return count


def streamed(row: Feature, panel: Panel, restarts: set[int]) -> FloatArray:
    """Every row pushed through a stream that is put away and restored before the rows in `restarts`."""
    stream = Stream(row.node, panel.symbols)
    out = np.empty(panel.shape)
    for t in range(panel.shape[0]):
        if t in restarts:
            stream = Stream.restore(row.node, Checkpoint.model_validate_json(stream.checkpoint().model_dump_json()))
        out[t] = stream.push(int(panel.ts[t]), {name: values[t] for name, values in panel.fields.items()})
    return out


@pytest.mark.parametrize("seed", [7])
def test_one_definition_two_drivers(seed: int) -> None:
    """Invariants 1 to 4."""
    assert checked_bits(lambda rows: made(seed, rows), seed) == len(FEATURES)


def _whole_history(x: FloatArray, out: FloatArray) -> None:
    out[:] = x - np.nanmean(x, axis=0)


def _by_place(x: FloatArray, out: FloatArray) -> None:
    out[:] = x * np.arange(x.shape[1])


@pytest.mark.parametrize(
    ("kernel", "says"), [(_whole_history, "reads rows after"), (_by_place, "depends on the order of symbols")]
)
def test_the_checks_catch_a_feature_that_is_wrong(kernel: Callable[..., None], says: str) -> None:
    with registered(Operator("wrong", Kind.ELEMENTWISE, ("x",), "-", "-", of("x")), kernel):
        wrong = Feature("wrong", "wrong(returns(close, 2))", 0, "made for this test")
        with pytest.raises(AssertionError, match=f"wrong@1 {says}"):
            checked_bits(lambda rows: made(5, rows, rough=False), seed=5, features=[wrong])


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_one_definition_two_drivers_on_any_panel(seed: int) -> None:
    """Invariants 1 to 4."""
    assert checked_bits(lambda rows: made(seed, rows), seed) == len(FEATURES)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "at_least"), [("us5", 240), ("us20", 70)])
def test_one_definition_two_drivers_on_bundled_data(name: str, at_least: int) -> None:
    """Invariants 1 to 4 on the last rows of the data, and on rows from within, where the youngest symbols begin."""
    panel = bundled(name)
    rows = panel.shape[0]
    for end in (rows, rows // 2):
        assert checked_bits(lambda n, end=end: panel.rows(max(0, end - n), end), seed=end) >= at_least


def test_every_feature_has_values_and_tells_symbols_apart() -> None:
    """Invariant 5: on us20 where its closes suffice, else on us5; on a made panel what reads more than bars."""
    left = list(FEATURES)
    for panel in (bundled("us20"), bundled("us5"), made(11, 1_600, 8, rough=False)):
        now = [row for row in left if fields_of(row.node) <= set(panel.fields)]
        left = [row for row in left if row not in now]
        for row, values in zip(now, compute([row.node for row in now], panel), strict=True):
            assert not np.isnan(values).all(), f"{row.reference} has no value"
            assert np.any(tells_apart(values) == 1.0), f"{row.reference} is the same for all symbols"
    assert left == []


def test_what_reads_levels_says_so() -> None:
    """Invariant 6. `level` may only be said beyond what is seen where a reason is given above."""
    longest = max(warmup(row.node) for row in FEATURES)
    panel = made(13, longest + 260, 12, rough=False)
    seen = {row.name for row in FEATURES if level_difference(row.node, panel) is not None}
    said = {row.name for row in FEATURES if row.level}
    assert sorted(seen - said) == [], "set level=True, or compare prices of one symbol with each other"
    assert sorted(said - seen) == sorted(LEVEL_UNSEEN)
