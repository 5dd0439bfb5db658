"""Suites: those that could not judge are refused at load; periods never overlap."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ablations.executors.port import Needs
from ablations.suite import (
    SUITES,
    SuiteError,
    SuiteTask,
    Symbols,
    check_period,
    default_suite,
    load_suite,
    period,
    suite_tasks,
)
from modules.datastore import DataStore, DataVersion
from modules.registry import list_modules
from modules.signal import fields_of, parse
from modules.task import LockboxError, PipelineSpec, load_pipeline, make_task
from modules.workspace import CHECKOUT
from skills.registry import skills

NAMES = sorted(p.stem for p in SUITES.glob("*.yaml"))


REAL = ("broad", "fast", "slow", "research_reversal")
DIGESTS = {
    "broad": "6ab074cf0fb5d086d7ec8e7d0490d0805c3ccbd40a767f60fad6a6e98f2e0d2e",
    "fast": "4ae3aea3ecbb36e97d86d95077e93a70f8b69be285e44e3cfbd795d88d280612",
    "slow": "1fd69dc58afc7d3029ca441eb5489a7ccc36019e991fefdf93a65b23ec93522d",
    "research_reversal": "f6f5331eb89c74bfe87982f3c43175b1b6662c37f61bfa18dbebcbaa35313ae9",
}
"""Records and certificates name these: a new field of a suite must not change them."""


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> DataVersion:
    return DataStore(tmp_path_factory.mktemp("data")).current("us20")


@pytest.fixture(scope="module")
def spec() -> PipelineSpec:
    return load_pipeline(CHECKOUT / "pipeline.yaml")


@pytest.mark.parametrize("name", REAL)
def test_suites_keep_their_identity(name: str) -> None:
    assert load_suite(name).digest == DIGESTS[name]


def test_what_a_suite_adds_is_in_its_digest_but_for_its_defaults() -> None:
    suite = load_suite("planted_fast")
    task = suite.tasks[0]
    assert task.symbols is not None
    swapped = task.model_copy(update={"symbols": Symbols(mining=task.symbols.judging, judging=task.symbols.mining)})
    others = (
        {"data_digest": None},
        {"lockbox_symbols": ()},
        {"tasks": tuple(t.model_copy(update={"stages": {}}) for t in suite.tasks)},
        {"tasks": (swapped, *suite.tasks[1:])},
    )
    digests = {suite.digest} | {suite.model_copy(update=change).digest for change in others}
    assert len(digests) == 1 + len(others)
    assert suite.model_copy(update={"default_for": ()}).digest == suite.digest


def test_what_a_task_needs_of_a_machine_is_said_in_the_suite() -> None:
    """One cpu is no part of a suite's identity; more is, and must be a number that a machine can have."""
    suite = load_suite("fast")
    assert "needs" not in suite.tasks[0].model_dump(mode="json")
    wide = SuiteTask.model_validate({**suite.tasks[0].model_dump(), "needs": {"cpus": 2, "gpus": 1}})
    assert wide.needs == Needs(cpus=2, memory_mb=0, gpus=1)
    assert suite.model_copy(update={"tasks": (wide, *suite.tasks[1:])}).digest != suite.digest
    for bad in ({"cpus": 0}, {"cpus": 10_000}, {"gpus": -1}, {"memory": 3}):
        with pytest.raises(ValidationError, match="needs"):
            SuiteTask.model_validate({**suite.tasks[0].model_dump(), "needs": bad})


def test_every_module_with_a_searchable_setting_has_one_suite_that_can_judge_it(spec: PipelineSpec) -> None:
    """But for those that read facts on companies: a suite names bars alone."""
    facts = {"accruals", "facts_expression", "growth", "quality", "value"}
    for stage, name in list_modules():
        module = f"{stage}/{name}"
        suite = load_suite(default_suite(module))
        if stage == "feature" and name not in facts and name != "expression":
            assert suite.name.startswith("planted_"), module
    claimed = [m for name in NAMES for m in load_suite(name).default_for]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= {f"{s}/{n}" for s, n in list_modules()} | {f"skills/{s.name}" for s in skills()}


def test_two_suites_cannot_both_be_the_default(tmp_path: Path) -> None:
    for name in ("fast", "slow"):
        values = yaml.safe_load((SUITES / f"{name}.yaml").read_text())
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**values, "default_for": ["size/rank_neutral"]}))
    with pytest.raises(SuiteError, match="fast and slow are both the default"):
        default_suite("size/rank_neutral", tmp_path)


def test_a_family_is_judged_on_symbols_or_not_at_all(version: DataVersion, spec: PipelineSpec, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="judge it on suite planted_fast"):
        suite_tasks(load_suite("fast"), version, spec, stages={"feature": "reversal"})
    suite = load_suite("planted_fast").model_copy(update={"data_digest": None, "data": "us20"})
    mining = suite_tasks(suite, version, spec, "mining", {"feature": "reversal"})
    judging = suite_tasks(suite, version, spec, "judging", {"feature": "reversal"})
    assert {t.signal for t in (*mining, *judging)} == {None}
    assert {t.stages["size"] for t in mining} == {"vol_target"}
    assert not {s for t in mining for s in t.symbols or ()} & {s for t in judging for s in t.symbols or ()}
    assert {t.signal for t in suite_tasks(suite, version, spec)} == {"rank(-returns(close, 5))"}
    assert {t.stages["size"] for t in suite_tasks(suite, version, spec, stages={"size": "rank_neutral"})} == {
        "rank_neutral"
    }


@pytest.mark.parametrize("name", NAMES)
def test_committed_suites(name: str, version: DataVersion, spec: PipelineSpec) -> None:
    suite = load_suite(name)
    assert len(suite.tasks) >= 8
    if name not in REAL:
        assert suite.data_digest is not None
        suite = suite.model_copy(update={"data_digest": None, "data": "us20"})
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
        ({"tasks": "one with symbols"}, "for all tasks or for none"),
        ({"tasks": "two pipelines"}, "name different stages"),
        ({"tasks": "a symbol in both"}, "mine and judge"),
        ({"tasks": "a locked symbol"}, "in the lockbox"),
        ({"data_digest": "f00"}, "should match"),
    ],
)
def test_suites_that_cannot_judge(tmp_path: Path, change: dict[str, object], words: str) -> None:
    values = yaml.safe_load((SUITES / "fast.yaml").read_text())
    if change.get("tasks") == "first five":
        change = {"tasks": values["tasks"][:5]}
    if change.get("tasks") == "one twice":
        change = {"tasks": [*values["tasks"], {**values["tasks"][0], "name": "again"}]}
    if change.get("tasks") == "one with symbols":
        split = {"mining": ["A.X", "B.X"], "judging": ["C.X", "D.X"]}
        change = {"tasks": [{**values["tasks"][0], "symbols": split}, *values["tasks"][1:]]}
    if change.get("tasks") == "two pipelines":
        change = {"tasks": [{**values["tasks"][0], "stages": {"size": "vol_target"}}, *values["tasks"][1:]]}
    if change.get("tasks") in ("a symbol in both", "a locked symbol"):
        # Each task is sound by itself: what one mines, another judges.
        split = {
            True: {"mining": ["A.X", "B.X"], "judging": ["C.X", "D.X"]},
            False: {"mining": ["E.X", "C.X"], "judging": ["F.X", "G.X"]},
        }
        locked = ["G.X"] if change["tasks"] == "a locked symbol" else []
        if locked:
            split[False]["mining"] = ["E.X", "H.X"]
        tasks = [{**task, "symbols": split[i % 2 == 0]} for i, task in enumerate(values["tasks"])]
        change = {"tasks": tasks, "lockbox_symbols": locked}
    (tmp_path / "fast.yaml").write_text(yaml.safe_dump({**values, **change}))
    with pytest.raises(SuiteError, match=words):
        load_suite("fast", tmp_path)


def test_an_unknown_suite_names_those_there_are() -> None:
    with pytest.raises(SuiteError, match=r"broad, fast, .*slow"):
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
