"""Planted markets: the truth that is written is the truth that is in the prices.

1. Equal seeds give equal prices; the digests that suites name are what the code gives.
2. What is expected of a day is what the day gives on average.
3. Nothing is planted in the null market, nothing after half of the fading one, and faults are where they are
   said to be.
4. A strategy on the planted alpha earns, on the null it does not, through the real pipeline.
5. What gains from a leak alone does not ship.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ablations.ablate import ablate
from ablations.arms import patched_modules
from ablations.gate import Reason
from ablations.patch import propose
from ablations.planted.markets import ALL_GROUPS, JUDGING, LOCKBOX, MARKETS, MINING, Alpha, Market, canonical
from ablations.planted.register import current
from ablations.planted.registration import registration, table
from ablations.planted.simulate import Simulated, simulate
from ablations.suite import load_suite, suite_names, suite_tasks, version_of
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.pipeline import RawSource, execute
from modules.registry import load_module
from modules.task import load_modules, load_pipeline
from modules.workspace import CHECKOUT, Workspace

BARS = 300


def short(name: str) -> Market:
    return dataclasses.replace(MARKETS[name], bars=BARS)


@pytest.fixture(scope="module")
def fast() -> Simulated:
    return simulate(short("planted_fast"))


def test_equal_seeds_give_equal_prices_and_others_do_not(fast: Simulated) -> None:
    again = simulate(short("planted_fast"))
    other = simulate(dataclasses.replace(short("planted_fast"), seed=1))
    assert all(np.array_equal(fast.fields[n], again.fields[n]) for n in fast.fields)
    assert not np.array_equal(fast.fields["close"], other.fields["close"])


def test_prices_are_those_of_a_market(fast: Simulated) -> None:
    f = fast.fields
    assert f["close"].shape == (BARS, len(ALL_GROUPS) * 8)
    assert (f["low"] <= np.minimum(f["open"], f["close"])).all()
    assert (f["high"] >= np.maximum(f["open"], f["close"])).all()
    assert f["low"].min() > 0.0
    assert f["volume"].min() > 0.0
    assert table(fast).height == f["close"].size


def day_returns(simulated: Simulated) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Open to close, less the group's mean: what an alpha moves."""
    day = (simulated.fields["close"] / simulated.fields["open"] - 1.0).reshape(len(simulated.days), -1, 8)
    return np.asarray((day - day.mean(axis=2, keepdims=True)).reshape(len(simulated.days), -1))


@pytest.mark.parametrize("kind", ["reversal", "place", "volume", "weekday", "trend", "drift", "calm"])
def test_the_expected_day_is_what_the_day_gives(kind: str) -> None:
    alone = dataclasses.replace(short("planted_fast"), alphas=(Alpha(kind, 200.0),))  # type: ignore[arg-type]
    made = simulate(alone)
    told, came = made.expected[60:], day_returns(made)[60:]
    told = told - told.reshape(len(told), -1, 8).mean(axis=2).repeat(8, axis=1)
    slope = float((told * came).sum() / (told * told).sum())
    assert 0.8 < slope < 1.2, slope
    assert not made.expected[:50].any(), "before there is any history nothing is expected"


def test_nulls_and_fadings() -> None:
    assert not simulate(short("planted_null")).expected.any()
    fading = simulate(short("planted_fading")).expected
    assert fading[60 : BARS // 2].any()
    assert not fading[BARS // 2 :].any()


def test_faults_are_where_they_are_said_to_be() -> None:
    market = short("planted_faults")
    clean = simulate(
        dataclasses.replace(market, faults=dataclasses.replace(market.faults, prints=0, stale=0, missing=0))
    )
    faulty = simulate(market)
    said = np.zeros(clean.fields["close"].shape, dtype=bool)
    column = {s: i for i, s in enumerate(faulty.symbols)}
    for fault in faulty.faults:
        said[fault.bar, column[fault.symbol]] = True
    differs = ~np.equal(clean.fields["close"], faulty.fields["close"])  # NaN differs from everything
    assert {f.kind for f in faulty.faults} == {"print", "stale", "missing"}
    assert not (differs & ~said).any(), "no cell is at fault that is not listed"
    assert (differs & said).sum() > 0.9 * said.sum(), "what is listed is at fault"
    assert np.isnan(faulty.fields["close"]).sum() == sum(f.kind == "missing" for f in faulty.faults)


def test_suites_mine_judge_and_lock_away_the_symbols_that_they_should() -> None:
    locked = {canonical(s) for g in LOCKBOX for s in g}
    for name in (n for n in suite_names() if n.startswith("planted_")):
        suite = load_suite(name)
        assert set(suite.lockbox_symbols) == locked
        for part, groups in (("mining", MINING), ("judging", JUDGING)):
            assert [getattr(t.symbols, part) for t in suite.tasks] == [tuple(map(canonical, g)) for g in groups]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in suite_names() if n.startswith("planted_")])
def test_the_digest_that_a_suite_names_is_what_the_code_gives(name: str, tmp_path: object) -> None:
    version = DataStore(Workspace.here().data).register(registration(MARKETS[load_suite(name).data]))
    assert version.digest == load_suite(name).data_digest


@pytest.mark.slow
def test_what_is_planted_is_earned_and_where_nothing_is_nothing_is() -> None:
    workspace = Workspace.here()
    store, data = ArtifactStore(workspace.artifacts), DataStore(workspace.data)
    spec = load_pipeline(CHECKOUT / "pipeline.yaml")

    def sharpes(market: str, part: str) -> list[float]:
        suite = load_suite("planted_fast").model_copy(update={"data": market, "data_digest": None})
        version = version_of(suite, data)
        assert version == current(data, market)
        found = []
        for task in suite_tasks(suite, version, spec, part, {"feature": "reversal"}):  # type: ignore[arg-type]
            raw = RawSource(version.digest, lambda: data.raw(version))
            manifest = execute(task, load_modules(task, version), raw, store, lambda event: None)
            found.append(manifest.metrics["net_sharpe"])
        return found

    assert min(sharpes("planted_fast", "judging")) > 3.0
    assert abs(float(np.mean(sharpes("planted_null", "judging")))) < 1.0
    assert float(np.mean(sharpes("planted_fading", "mining"))) > 3.0
    assert abs(float(np.mean(sharpes("planted_fading", "judging")))) < 1.0


@pytest.mark.slow
def test_a_patch_that_lives_on_a_leak_does_not_ship() -> None:
    """Trading sooner pays while the leak is there, where a patch is tuned; when it is judged the leak is gone."""
    workspace = Workspace.here()
    suite = load_suite("planted_fast").model_copy(update={"data": "planted_fading", "data_digest": None})
    patch = propose(load_module("size", "vol_target"), {"no_trade_band": 0.0005})
    data, store = DataStore(workspace.data), ArtifactStore(workspace.artifacts)
    version, spec = version_of(suite, data), load_pipeline(CHECKOUT / "pipeline.yaml")
    gains = []
    for task in suite_tasks(suite, version, spec, "mining"):
        modules = load_modules(task, version)
        raw = RawSource(version.digest, lambda: data.raw(version))
        before, after = (
            execute(task, arm, raw, store, lambda event: None).metrics["net_sharpe"]
            for arm in (modules, patched_modules(patch, modules))
        )
        gains.append(after - before)
    assert min(gains) > 0.0, gains
    assert float(np.mean(gains)) > 0.2, gains
    record = ablate(patch, suite, workspace, lambda event: None, history=lambda: ())
    assert record.verdict.reason is Reason.NOT_BETTER
