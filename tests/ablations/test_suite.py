"""Suites: those that could not judge are refused at load; periods never overlap."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ablations.suite import SUITES, SuiteError, check_period, load_suite, period, suite_tasks
from modules.datastore import DataStore, DataVersion
from modules.signal import fields_of, parse
from modules.task import LockboxError, PipelineSpec, load_pipeline, make_task
from modules.workspace import CHECKOUT

NAMES = sorted(p.stem for p in SUITES.glob("*.yaml"))


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> DataVersion:
    return DataStore(tmp_path_factory.mktemp("data")).current("us20")


@pytest.fixture(scope="module")
def spec() -> PipelineSpec:
    return load_pipeline(CHECKOUT / "pipeline.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_committed_suites(name: str, version: DataVersion, spec: PipelineSpec) -> None:
    suite = load_suite(name)
    assert len(suite.tasks) >= 8
    for task in suite.tasks:
        assert fields_of(parse(task.signal)) <= {"close"}, task.name
    assert len({t.digest for t in suite_tasks(suite, version, spec)}) == len(suite.tasks)
    assert "  " not in suite.digest


def test_the_broad_suite_is_broad() -> None:
    assert len({t.family for t in load_suite("broad").tasks}) >= 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tasks": "first five"}, "at least 6"),
        ({"tasks": "one twice"}, "stands twice"),
        ({"guards": []}, "guards is empty"),
        ({"guards": [{"metric": "max_drawdown", "better": "lower", "tolerance": 1.0}]}, "could never fire"),
        ({"guards": [{"metric": "turnover", "better": "lower", "tolerance": float("inf")}]}, "finite"),
        ({"carriers": [{"module": "engine/bars", "settings": {}}]}, "a patch may touch"),
        ({"judging": [0.0, 1.0]}, "Extra inputs"),
        ({"name": "other"}, "like its file"),
    ],
)
def test_suites_that_cannot_judge(tmp_path: Path, change: dict[str, object], words: str) -> None:
    values = yaml.safe_load((SUITES / "fast.yaml").read_text())
    if change.get("tasks") == "first five":
        change = {"tasks": values["tasks"][:5]}
    if change.get("tasks") == "one twice":
        change = {"tasks": [*values["tasks"], {**values["tasks"][0], "name": "again"}]}
    (tmp_path / "fast.yaml").write_text(yaml.safe_dump({**values, **change}))
    with pytest.raises(SuiteError, match=words):
        load_suite("fast", tmp_path)


def test_an_unknown_suite_names_those_there_are() -> None:
    with pytest.raises(SuiteError, match="broad, fast, slow"):
        load_suite("fasst")


def test_mining_and_judging_share_no_bar(version: DataVersion, spec: PipelineSpec) -> None:
    suite = load_suite("fast")
    mining, judging = suite_tasks(suite, version, spec, "mining"), suite_tasks(suite, version, spec, "judging")
    assert all(a.end_ns <= b.start_ns for a in mining for b in judging)
    assert all(t.end_ns <= version.lockbox_start_ns for t in judging)
    assert period(version, "mining")[1] == period(version, "judging")[0]


def test_a_leaked_period_is_refused(version: DataVersion, spec: PipelineSpec) -> None:
    judging = suite_tasks(load_suite("fast"), version, spec, "judging")[0]
    day = 86_400_000_000_000
    with pytest.raises(SuiteError, match="may not share a bar"):
        check_period(judging, version, "mining")
    for change in ({"start_ns": judging.start_ns - day}, {"end_ns": judging.end_ns + day}):
        with pytest.raises(SuiteError, match="may not share a bar"):
            check_period(judging.model_copy(update=change), version, "judging")
    with pytest.raises(SuiteError, match="on data"):
        check_period(judging.model_copy(update={"data_digest": "f" * 64}), version, "judging")
    with pytest.raises(LockboxError):
        make_task(spec, version, end=version.lockbox_start_ns + day)
