"""A definition gets a successor, and runs that name the old one still give their bits.

1. Settings and manifests hold `name@version`.
2. With a version 2 in the library, the recorded run replays to the last bit, from its manifest alone.
3. A run of the successor differs, so equality is no accident.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from modules.contract import Module, Stage
from modules.feature.alpha158.settings import Settings
from modules.feature.library import latest
from modules.feature.row import Feature
from modules.manifest import Manifest
from modules.replay import recorded_modules, replay
from modules.task import load_modules
from tests.pipelines import SPEC, Desk

OLD = next(row for row in Settings.features if row.name == "ROC5")
NEW = dataclasses.replace(OLD, expr="delay(close, 6) / delay(close, 1)", version=2)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, spec=SPEC.model_copy(update={"stages": {**SPEC.stages, "feature": "alpha158"}}))


def _modules(desk: Desk, *members: str) -> dict[Stage, Module]:
    modules = load_modules(desk.task(end="2004-12-31"), desk.version)
    return {**modules, "feature": modules["feature"].with_settings({"members": members})}


def _run(desk: Desk, *members: str) -> Manifest:
    return desk.run(desk.task(end="2004-12-31"), _modules(desk, *members), until="feature")


def test_an_old_run_replays_after_its_definition_got_a_successor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = _run(desk, "ROC5@1", "MA20@1")
    assert recorded.stage("feature").settings["members"] == ["ROC5@1", "MA20@1"]

    monkeypatch.setattr(Settings, "features", (*Settings.features, NEW))
    assert {row.reference for row in latest(Settings.features) if row.name == "ROC5"} == {"ROC5@2"}

    again = desk.runs.load(recorded.run_id)
    assert recorded_modules(again)["feature"].settings.members == ("ROC5@1", "MA20@1")  # type: ignore[attr-defined]
    found = replay(again, desk.data, desk.store, desk.events.append)
    assert found.equal and found.found.digest == recorded.digest

    successor = _run(desk, "ROC5@2", "MA20@1")
    assert successor.stage("feature").settings["members"] == ["ROC5@2", "MA20@1"]
    assert successor.output("signal") != recorded.output("signal")


def test_a_definition_changed_in_place_would_break_the_replay(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = _run(desk, "ROC5@1", "MA20@1")
    changed = tuple(dataclasses.replace(NEW, version=1) if row == OLD else row for row in Settings.features)
    monkeypatch.setattr(Settings, "features", changed)
    difference = replay(recorded, desk.data, desk.store, desk.events.append).difference
    assert difference is not None and difference.stage == "feature" and difference.artifact == "signal"


def test_a_run_that_names_a_row_that_is_gone_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = _run(desk, "ROC5@1", "MA20@1")
    monkeypatch.setattr(Settings, "features", tuple(row for row in Settings.features if row != OLD))
    with pytest.raises(ValueError, match=r"cannot be replayed from stage feature/alpha158 on: .*ROC5@1 is no feature"):
        replay(recorded, desk.data, desk.store, desk.events.append)


def test_rows_of_two_versions_are_both_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (*Settings.features, Feature("ROC5", NEW.expr, 0, "x", version=2))
    monkeypatch.setattr(Settings, "features", rows)
    assert [r.version for r in Settings(members=("ROC5@2", "ROC5@1")).rows()] == [2, 1]
