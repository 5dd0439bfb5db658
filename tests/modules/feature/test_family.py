"""A family of features as one signal.

1. The signal is the mean of the members' normalised values, each times its sign; a sign of 0 counts as 1.
2. Settings name members as name@version; unknown and repeated ones are refused when settings are loaded.
3. A member whose fields the data lack is refused by name, never dropped.
4. Where enough members have a value, the mean is over those; where too few have, there is none.
5. A member that reads the future is found by the family's acceptance, with a bar at which it does.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from modules.contract import Context
from modules.feature.alpha158.contract import Inputs
from modules.feature.alpha158.settings import Settings as Alpha158Settings
from modules.feature.family import accept_family, run_family, run_family_on, signal_of
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field
from modules.panel import FloatArray, Panel
from modules.registry import RegistryError, validate_settings
from modules.signal import SignalError, evaluate, parse, warmup
from modules.signal.nodes import depth
from modules.signal.operators import Kind, Operator, registered
from modules.signal.prove import prove
from modules.signal.units import of
from tests.modules.engine.cases import instruments
from tests.modules.signal.panels import make_panel

BARS = make_panel(21, rows=60, symbols=6, rough=False)

ROWS = (
    Feature("up", "returns(close, 5)", 1, "made for this test"),
    Feature("down", "ts_std(returns(close, 1), 5)", -1, "made for this test"),
    Feature("unsigned", "volume / ts_mean(volume, 5)", 0, "made for this test"),
    Feature("late", "returns(close, 30)", 1, "made for this test"),
)


class Settings(FamilySettings):
    features: ClassVar[tuple[Feature, ...]] = ROWS
    members: tuple[str, ...] = members_field("up@1", "down@1", "unsigned@1")


def _inputs(bars: Panel) -> Inputs:
    return Inputs(bars, instruments(bars.symbols))


def _values(settings: FamilySettings, bars: Panel = BARS) -> FloatArray:
    return evaluate(signal_of(settings), bars)


def _alone(expr: str) -> FloatArray:
    return evaluate(parse(expr), BARS)


@pytest.mark.parametrize("normalize", ["rank", "zscore"])
@pytest.mark.parametrize("limit", [0.0, 0.1])
def test_the_mean_of_signed_normalised_members(normalize: str, limit: float) -> None:
    """Invariant 1."""
    settings = Settings.model_validate({"normalize": normalize, "winsor_limit": limit})
    inner = [f"winsorize({r.expr}, {limit})" if limit else r.expr for r in ROWS[:3]]
    shift = 0.5 if normalize == "rank" else 0.0
    up, down, unsigned = (_alone(f"{normalize}({expr})") - shift for expr in inner)
    np.testing.assert_allclose(_values(settings), (up - down + unsigned) / 3, rtol=1e-12, atol=1e-15)


def test_smoothing_is_the_mean_of_the_last_bars() -> None:
    plain, smooth = _values(Settings()), _values(Settings(smoothing_bars=3))
    np.testing.assert_allclose(smooth[10:], (plain[10:] + plain[9:-1] + plain[8:-2]) / 3, rtol=1e-12, atol=1e-15)


def test_less_the_mean_of_its_sector() -> None:
    sector = np.broadcast_to([0.0, 0.0, 1.0, 1.0, 1.0, np.nan], BARS.shape)
    plain, neutral = (
        _values(Settings())[10],
        _values(Settings(neutralize="sector"), BARS.with_fields(sector=sector))[10],
    )
    np.testing.assert_allclose(neutral[:2], plain[:2] - plain[:2].mean(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(neutral[2:5], plain[2:5] - plain[2:5].mean(), rtol=1e-12, atol=1e-15)
    assert np.isnan(neutral[5])
    with pytest.raises(SignalError, match="neutralize is sector, which the data do not name"):
        run_family_on(BARS, Settings(neutralize="sector"), Context(seed=0, start_ns=0))


@pytest.mark.parametrize(("least", "first"), [(1.0, 30), (0.75, 5), (0.1, 4)])
def test_members_may_be_missing(least: float, first: int) -> None:
    """Invariant 4: `late` begins at bar 30, the volume at bar 4, the others at bar 5."""
    settings = Settings(members=tuple(r.reference for r in ROWS), least_present=least)
    values = _values(settings)
    assert np.isnan(values[:first]).all()
    assert not np.isnan(values[first:]).any()
    up, down, unsigned, late = (_alone(f"rank({r.expr})") - 0.5 for r in ROWS)
    if least < 1.0:
        np.testing.assert_allclose(values[10], (up - down + unsigned)[10] / 3, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(values[40], (up - down + unsigned + late)[40] / 4, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (["KMID@2"], "did you mean KMID@1"),
        (["KMID"], "did you mean KMID@1"),
        (["KMJD@1"], "KMID@1"),
        (["KMID@1", "KLEN@1", "KMID@1"], "KMID@1 stands twice"),
        ([], "at least 1 item"),
    ],
)
def test_wrong_members_are_no_settings(members: list[str], says: str) -> None:
    """Invariant 2."""
    with pytest.raises(RegistryError, match=says):
        validate_settings("feature", "alpha158", {"members": members})


def test_members_whose_fields_are_missing_are_refused_by_name() -> None:
    """Invariant 3."""
    closes = Panel(BARS.ts, BARS.symbols, {"close": BARS["close"]})
    settings = Alpha158Settings(members=("ROC5@1", "KMID@1", "VMA5@1"))
    with pytest.raises(SignalError, match=r"members KMID@1, VMA5@1 read open, volume, which the data lack \(they have"):
        run_family(_inputs(closes), settings, Context(seed=0, start_ns=0))
    assert run_family(_inputs(closes), Alpha158Settings(members=("ROC5@1",)), Context(seed=0, start_ns=0))


def test_what_a_run_says() -> None:
    settings = Alpha158Settings()
    outputs = run_family(_inputs(BARS), settings, Context(seed=0, start_ns=int(BARS.ts[25])))
    assert outputs.metrics["members"] == len(settings.members)
    assert outputs.metrics["warmup_bars"] == warmup(signal_of(settings)) == 20
    assert outputs.metrics["coverage"] == 1.0
    assert outputs.metrics["reads_level"] == 0.0 and outputs.notes == ()
    assert accept_family(_inputs(BARS), outputs, settings) == []


def test_one_tree_provable_and_flat() -> None:
    settings = Settings(members=tuple(r.reference for r in ROWS), least_present=0.5, smoothing_bars=2)
    assert prove(signal_of(settings), make_panel(3, 60), seed=1, samples=4).holds
    every = Alpha158Settings(members=tuple(r.reference for r in Alpha158Settings.features))
    assert depth(signal_of(every)) < 30


def test_a_member_that_reads_the_future_is_not_accepted() -> None:
    """Invariant 5. The member divides by a mean over all of history."""

    def over_all_bars(x: FloatArray, out: FloatArray) -> None:
        out[:] = x / np.nanmean(x, axis=0)

    class Peeking(FamilySettings):
        features: ClassVar[tuple[Feature, ...]] = (*ROWS, Feature("ahead", "peek(volume)", 1, "made for this test"))
        members: tuple[str, ...] = members_field("up@1", "ahead@1")

    context = Context(seed=0, start_ns=0)
    inputs = _inputs(BARS)
    with registered(Operator("peek", Kind.CROSS, ("x",), "-", "-", of("x")), over_all_bars):
        settings = Peeking()
        found = accept_family(inputs, run_family(inputs, settings, context), settings)
    assert [v.rule.partition(":")[0] for v in found] == ["reads the future"]
    assert found[0].first_rows and "without later bars" in found[0].first_rows[0]
