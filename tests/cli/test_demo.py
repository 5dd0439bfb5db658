"""`cws demo` in a clone whose git knows no user: the whole loop, twice in a row, and the checkout as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.checkout import Checkout, make_checkout

pytestmark = pytest.mark.slow

VERDICT = {"ablation_id", "module", "patch", "verdict", "reason", "delta", "lower_bound", "p_value", "branch"}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    """Nobody's git."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("HOME", str(tmp_path))
    yield make_checkout(tmp_path / "work", user=False)


def test_the_whole_loop_twice(checkout: Checkout) -> None:
    before = checkout.stand()
    first = checkout.cws("demo", "--json")
    assert first.code == 0, first.err
    assert checkout.stand() == before

    found = first.json
    assert found["research"]["status"] == "drafted"
    assert len(found["next"]) == 3
    verdicts = found["supervise"]["verdicts"]
    assert verdicts and all(v.keys() >= VERDICT for v in verdicts)
    assert found["supervise"]["findings"]
    for verdict in verdicts:
        assert (verdict["branch"] is not None) == (verdict["verdict"] == "SHIP")
    branches = checkout.git("branch", "--format=%(refname:short)").splitlines()
    assert found["research"]["chosen"]["branch"] in branches
    assert checkout.git("log", "-1", "--format=%an", found["research"]["chosen"]["branch"]) == "cws engine"

    nobody = checkout.cws("review", "approve", found["research"]["chosen"]["branch"], "--json")
    assert nobody.code == 2 and nobody.json["error"]["reason"] == "NO_NAME"

    second = checkout.cws("demo", "--json")
    assert second.code == 0, second.err
    assert checkout.stand() == before
    standing = {v["ablation_id"]: v for v in second.json["supervise"]["verdicts"]}
    for verdict in verdicts:
        if verdict["reason"] not in ("NO_CERTIFICATE", "STALE_CERTIFICATE"):
            again = standing[verdict["ablation_id"]]
            assert (again["verdict"], again["delta"]) == (verdict["verdict"], verdict["delta"])
            assert again["noise_floor"] == verdict["noise_floor"]


def test_another_hypothesis_changes_the_result_and_an_empty_one_is_asked_back(checkout: Checkout) -> None:
    asked = checkout.cws("demo", "something will happen", "--json")
    assert asked.code == 2
    assert asked.json["research"]["question"] and asked.json["supervise"] is None
