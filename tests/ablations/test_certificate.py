"""The A/A certificate.

1. Worthless patches are worthless: no generator favours an arm.
2. A certificate stands only where every figure that is asked of it holds, and is current only for its own keys.
3. Any number of workers gives the same certificate.
4. The committed certificates are those of this code, these suites and the registered data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ablations.certifying as certifying
from ablations.certificate import (
    COMMITTED,
    FEWEST_PATCHES,
    Certificate,
    CertificateError,
    Keys,
    PowerPoint,
    StreamResult,
    find,
    gate_digest,
    load_all,
    save,
)
from ablations.certifying import PER_KIND, issue, series_digest
from ablations.executors.local import LocalPool
from ablations.executors.serial import Serial
from ablations.floor import Series
from ablations.suite import SUITES, load_suite, version_of
from ablations.worthless import KINDS, MOVING, Kind, Material, one_worthless, planted
from modules.datastore import DataStore
from tests.ablations.made import returns

KEYS = Keys("g" * 64, "s" * 64, "d" * 64)


def material(bars: int = 1_200) -> Material:
    """A losing baseline, one quieter and one noisier arm, and a market."""
    baseline = returns(1, bars=bars) - 2e-4
    rng = np.random.default_rng(2)
    return Material(
        baseline=baseline,
        arms=(0.6 * baseline + 0.2 * returns(3, bars=bars), baseline + 0.2 * returns(4, bars=bars)),
        market=rng.standard_t(4, size=(bars, 12)) * 0.01,
        mining_baseline=returns(5, bars=bars) - 2e-4,
        mining_market=rng.standard_t(4, size=(bars, 12)) * 0.01,
        bars_per_year=252.0,
    )


def worthless(kind: Kind, made: Material, count: int) -> Iterator[Series]:
    rng = np.random.Generator(np.random.PCG64(1))
    return (one_worthless(kind, made, i, rng) for i in range(count))


@pytest.mark.parametrize("kind", KINDS)
def test_no_generator_favours_an_arm(kind: Kind) -> None:
    found = []
    for series in worthless(kind, material(600), 60):
        before, after = (x.mean(axis=1) / x.std(axis=1) * np.sqrt(252.0) for x in (series.baseline, series.patched))
        found.append(float((after - before).mean()))
    spread = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) <= 3.0 * spread + 1e-12
    assert (np.std(found) > 1e-3) == (kind in MOVING)


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_that_do_not_trade_are_no_trouble(kind: Kind) -> None:
    made = material(200)
    still = made.baseline.copy()
    still[0] = 0.0
    arms = tuple(np.vstack([np.zeros((2, 200)), arm[2:]]) for arm in made.arms)
    idle = Material(still, arms, made.market, made.mining_baseline, made.mining_market, 252.0)
    for series in worthless(kind, idle, 3):  # a series refuses what is not finite
        assert series.tasks == 8


def test_noise_is_neutral_and_as_large_as_asked() -> None:
    from ablations.noise import trading

    market = np.eye(6, 4) * 0.01  # each bar one symbol moves: a return is its weight
    made = trading(market, 3, 0.3, 4, np.random.Generator(np.random.PCG64(1))) / 0.01
    assert made.shape == (3, 6)
    assert np.abs(made[:, :4]).sum(axis=1) == pytest.approx(0.3)  # one set of weights for four bars
    assert made[:, :4].sum(axis=1) == pytest.approx(0.0, abs=1e-12)
    assert np.corrcoef(made[:, :4]).min() > 0.0  # half is common to all tasks


def test_planted_improvements_have_their_size() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    made = material()
    found = []
    for i in range(60):
        s = planted(made, made.arms[i % 2], 0.5, rng)
        ratio = [x.mean(axis=1) / x.std(axis=1) * np.sqrt(252.0) for x in (s.baseline, s.patched)]
        found.append(float((ratio[1] - ratio[0]).mean()))
    assert np.mean(found) == pytest.approx(0.5, abs=4.0 * np.std(found) / np.sqrt(60))


FEW = dict.fromkeys(KINDS, 4)
"""Of each kind, for tests that ask who makes a certificate and not what it says."""


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PER_KIND", FEW), ("SIZES", (0.1, 1.6)), ("TRIES", 4), ("TWICE_TRIES", 4), ("STREAMS", 2)):
        monkeypatch.setattr(certifying, name, value)
    monkeypatch.setattr(certifying, "STREAM_PATCHES", 10)
    monkeypatch.setattr(certifying, "PIECE", 3)


def test_what_is_asked_of_a_certificate_is_what_is_tried() -> None:
    assert sum(PER_KIND.values()) >= FEWEST_PATCHES
    assert set(PER_KIND) == set(KINDS)
    assert certifying.STREAM_PATCHES == 500
    assert certifying.REAL_SHARE == 0.2


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    made = material(500)
    monkeypatch.setattr(certifying, "PER_KIND", {kind: count // 20 for kind, count in PER_KIND.items()})  # same shares
    for name, value in (("SIZES", (0.2, 1.6)), ("TRIES", 8), ("TWICE_TRIES", 20), ("STREAMS", 1)):
        monkeypatch.setattr(certifying, name, value)
    with LocalPool(2) as pool:
        # Workers import the module anew: what is made smaller here travels with the jobs, and streams stay whole.
        alone = issue(made, KEYS, "made", "made", Serial(), engine={"size": "x@y"})
        monkeypatch.setattr(certifying, "PIECE", 5)
        shared = issue(made, KEYS, "made", "made", pool, engine={"size": "x@y"})
    assert shared == alone
    assert shared.certificate_id == alone.certificate_id
    assert [s.patches for s in alone.streams] == [500]
    assert alone.false_discovery_rate is not None
    assert alone.false_discovery_rate <= 0.05
    assert alone.minimum_detectable is not None
    assert alone.twice is not None
    assert alone.twice.ships >= 16
    assert alone.single_false / alone.single_tested < 0.2


@pytest.mark.slow
def test_a_certificate_says_what_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    made = material(450)
    found = issue(made, KEYS, "made", "made", Serial(), engine={"size": "x@y"})
    assert (found.patches, [k.patches for k in found.kinds]) == (28, [4] * 7)
    assert (found.engine, found.series_digest) == ({"size": "x@y"}, series_digest(made))
    assert [(s.patches, s.real) for s in found.streams] == [(10, 2)] * 2
    assert "worthless patches were tried, 1000 are needed" in found.problems[0]
    louder = Material(made.baseline * 2.0, made.arms, made.market, made.mining_baseline, made.mining_market, 252.0)
    assert series_digest(louder) != series_digest(made)


TWICE = PowerPoint(size=0.6, tries=100, ships=80)


def bare(**changes: object) -> Certificate:
    values: dict[str, object] = {
        **KEYS._asdict(),
        "suite": "made",
        "data": "made",
        "level": 1e-3,
        "patches": 1_000,
        "false_ships": 0,
        "upper_bound": 0.003,
        "single_level": 0.05,
        "single_tested": 200,
        "single_false": 10,
        "single_upper_bound": 0.083,
        "kinds": (),
        "power": (),
        "minimum_detectable": 0.3,
        "seed": 1,
        "twice": TWICE,
        "false_discovery_rate": 0.01,
    }
    return Certificate.model_validate({**values, **changes})


@pytest.mark.parametrize(
    ("certificate", "state"),
    [
        (bare(), "CURRENT"),
        (None, "NONE"),
        (bare(gate_digest="x" * 64), "STALE"),
        (bare(suite_digest="x" * 64), "STALE"),
        (bare(data_digest="x" * 64), "STALE"),
        (bare(suite_digest="x" * 64, data_digest="x" * 64), "NONE"),
        (bare(patches=999), "STALE"),
        (bare(upper_bound=0.051), "STALE"),
        (bare(upper_bound=0.05), "CURRENT"),
        (bare(false_discovery_rate=0.051), "STALE"),
        (bare(false_discovery_rate=None), "STALE"),
        (bare(twice=None), "STALE"),
        (bare(twice=TWICE.model_copy(update={"ships": 79})), "STALE"),
        (bare(twice=PowerPoint(size=0.6, tries=0, ships=0)), "STALE"),
        (bare(twice=None, minimum_detectable=None), "CURRENT"),  # promises to see nothing, and ships as little
    ],
)
def test_which_certificate_is_current(tmp_path: Path, certificate: Certificate | None, state: str) -> None:
    if certificate is not None:
        save(certificate, tmp_path)
    found, reference = find(KEYS, (tmp_path,))
    assert reference.state == state
    assert (found is not None) == (state == "CURRENT")


def test_a_changed_certificate_is_refused(tmp_path: Path) -> None:
    path = save(bare(false_ships=30), tmp_path)
    path.write_text(path.read_text().replace('"false_ships":30', '"false_ships":0'))
    with pytest.raises(CertificateError, match="was changed"):
        load_all((tmp_path,))


def test_the_share_of_false_discoveries() -> None:
    stream = StreamResult(seed=0, patches=500, real=100, ships=50, false_ships=2, lowest_level=1e-5)
    assert stream.false_discoveries == 0.04
    assert stream.model_copy(update={"ships": 0, "false_ships": 0}).false_discoveries == 0.0


def test_certificates_of_an_earlier_form_are_read_as_they_were(tmp_path: Path) -> None:
    """Fields that came later are no part of their digest; they do not stand, and they do not stop anybody."""
    old = bare(patches=260, twice=None, false_discovery_rate=None)
    raw = json.loads(save(old, tmp_path).read_text())
    assert not {"twice", "streams", "false_discovery_rate", "engine", "series_digest"} & set(raw)
    assert old.certificate_id == "a0a9667c018592fe"
    assert load_all((tmp_path,)) == [old]
    assert find(KEYS, (tmp_path,))[1].state == "STALE"


@pytest.mark.parametrize("name", sorted(p.stem for p in SUITES.glob("*.yaml")))
def test_the_committed_certificates_are_current(name: str, tmp_path: Path) -> None:
    suite = load_suite(name)
    version = version_of(suite, DataStore(tmp_path))
    found, reference = find(Keys(gate_digest(), suite.digest, version.digest), (COMMITTED,))
    assert reference.state == "CURRENT", (
        f"the gate, suite {name} or its data changed since its certificate was made; renew it with "
        f"`python -m ablations.renew` (a minute a suite on two free cores) and commit {COMMITTED.name}/"
    )
    assert found is not None
    assert found.minimum_detectable is not None
