"""The A/A certificate.

1. Worthless patches are worthless: no generator favours an arm.
2. A certificate stands only with enough patches and a low enough rate, and is current only for its own keys.
3. The committed certificates are those of this code, these suites and the bundled data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ablations.certificate import (
    COMMITTED,
    FEWEST_PATCHES,
    Certificate,
    CertificateError,
    Keys,
    PowerPoint,
    find,
    gate_digest,
    issue,
    load_all,
    minimum_detectable,
    save,
    upper_bound,
)
from ablations.suite import SUITES, load_suite
from ablations.worthless import KINDS, Kind, Material, planted, worthless
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


@pytest.mark.parametrize("kind", KINDS)
def test_no_generator_favours_an_arm(kind: Kind) -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    found = []
    for series in worthless(kind, material(600), 60, rng):
        before, after = (x.mean(axis=1) / x.std(axis=1) * np.sqrt(252.0) for x in (series.baseline, series.patched))
        found.append(float((after - before).mean()))
    spread = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) <= 3.0 * spread + 1e-12


def test_planted_improvements_have_their_size() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    made = material()
    found = []
    for i in range(60):
        s = planted(made, made.arms[i % 2], 0.5, rng)
        ratio = [x.mean(axis=1) / x.std(axis=1) * np.sqrt(252.0) for x in (s.baseline, s.patched)]
        found.append(float((ratio[1] - ratio[0]).mean()))
    assert np.mean(found) == pytest.approx(0.5, abs=4.0 * np.std(found) / np.sqrt(60))


@pytest.mark.parametrize(
    ("events", "tries", "bound"),
    [(0, 200, 0.014867), (1, 260, 0.018115), (0, 59, 0.049507), (10, 200, 0.083335), (5, 5, 1.0)],
)
def test_clopper_pearson(events: int, tries: int, bound: float) -> None:
    assert upper_bound(events, tries) == pytest.approx(bound, abs=5e-6)


@pytest.mark.parametrize(
    ("rates", "size"),
    [
        ([0, 0, 20], 0.36),
        ([16, 20, 20], 0.1),
        ([20, 20, 20], 0.08),
        ([0, 0, 15], None),
        ([10, 10, 20], 0.32),
    ],
)
def test_minimum_detectable(rates: list[int], size: float | None) -> None:
    power = [PowerPoint(size=s, tries=20, ships=r) for s, r in zip((0.1, 0.2, 0.4), rates, strict=True)]
    assert minimum_detectable(power) == (None if size is None else pytest.approx(size))


@pytest.fixture(scope="module")
def issued() -> Certificate:
    return issue(material(600), KEYS, "made", "made")


@pytest.mark.slow
def test_an_issued_certificate(issued: Certificate) -> None:
    assert issued.patches >= FEWEST_PATCHES
    assert issued.stands
    assert issued.single_false / issued.single_tested < 0.1
    assert issued.power[-1].ships >= 16
    assert {k.kind for k in issued.kinds} == set(KINDS)
    assert issue(material(600), KEYS, "made", "made") == issued


def bare(**changes: object) -> Certificate:
    values: dict[str, object] = {
        **KEYS._asdict(),
        "suite": "made",
        "data": "made",
        "level": 1e-3,
        "patches": 260,
        "false_ships": 0,
        "upper_bound": 0.0115,
        "single_level": 0.05,
        "single_tested": 200,
        "single_false": 10,
        "single_upper_bound": 0.083,
        "kinds": (),
        "power": (),
        "minimum_detectable": 0.3,
        "seed": 1,
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
        (bare(patches=199), "STALE"),
        (bare(upper_bound=0.051), "STALE"),
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


@pytest.mark.parametrize("name", sorted(p.stem for p in SUITES.glob("*.yaml")))
def test_the_committed_certificates_are_current(name: str, tmp_path: Path) -> None:
    suite = load_suite(name)
    version = DataStore(tmp_path).current(suite.data)
    found, reference = find(Keys(gate_digest(), suite.digest, version.digest), (COMMITTED,))
    assert reference.state == "CURRENT", (
        f"the gate, suite {name} or its data changed since its certificate was made; renew it with "
        f"`python -m ablations.renew` (about a minute a suite) and commit {COMMITTED.name}/"
    )
    assert found is not None
    assert found.minimum_detectable is not None
