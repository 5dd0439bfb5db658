"""`cws certify`: the stable fields of a certificate. Two minutes of work, so it is a soak test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cws


def test_a_suite_that_is_not_there(cws: Cws) -> None:
    done = cws("certify", "--suite", "nope", "--json")
    assert done.code == 2 and "broad" in done.json["error"]["message"]


@pytest.mark.soak
def test_certificate_is_measured_and_written(cws: Cws, tmp_path: Path) -> None:
    done = cws("certify", "--out", str(tmp_path), "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["stands"] is True and found["patches"] >= 1_000
    assert found["false_discovery_rate"] <= 0.05
    assert found["twice"]["ships"] >= 0.8 * found["twice"]["tries"]
    assert found["false_ships"] <= found["patches"] * found["upper_bound"]
    assert [p.stem for p in tmp_path.glob("*.json")] == [found["certificate_id"]]
