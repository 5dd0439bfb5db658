"""The pipeline as a whole, on real data.

1. The same task gives the same bits; a second run touches digests only.
2. What a stage reads is its identity: settings, seed, period, signal and code each change it, and nothing upstream.
3. A boundary that refuses names stage, module, rule, count and first rows, and leaves no manifest.
4. Nothing at or after the lockbox reaches a run.
5. What was remembered of a stage is believed only if it is whole, of this very identity and still in the store.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import modules.known as pipeline_known
import modules.pipeline as pipeline
from modules.artifacts import ArtifactError
from modules.contract import STAGES, ContractError, Module, Stage, Violation
from modules.known import Memory, _Entry
from modules.manifest import environment
from modules.panel import Panel
from modules.pipeline import RawSource, execute
from modules.task import LockboxError, TaskError, load_modules, load_pipeline
from tests.pipelines import Desk

NAV = ""  # the digest of a table, set by the test that needs one


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


def changed(modules: dict[Stage, Module], stage: Stage, **parts: object) -> dict[Stage, Module]:
    return {**modules, stage: dataclasses.replace(modules[stage], **parts)}  # type: ignore[arg-type]


def test_a_second_run_touches_nothing_but_digests(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.run()
    monkeypatch.setattr(desk.store, "get", lambda digest: pytest.fail(f"artifact {digest} was read"))
    monkeypatch.setattr(desk.store, "put", lambda artifact: pytest.fail("an artifact was written"))
    task, version = desk.task(), desk.version
    raw = RawSource(version.digest, lambda: pytest.fail("raw rows were read"))
    monkeypatch.setattr(desk, "raw", lambda: raw)
    second = desk.run(task)
    assert second.digest == first.digest
    assert [s.cached for s in second.stages] == [True] * 6
    assert second.metrics == first.metrics
    assert second.run_id != first.run_id


def test_without_the_cache_the_bits_are_the_same(desk: Desk) -> None:
    assert desk.run(use_cache=False).digest == desk.run().digest


def test_runs_that_share_a_memory_compute_what_they_share_once(desk: Desk) -> None:
    """What the store holds of earlier runs is not believed: each stage is executed anew, once for both tasks."""
    one, other = desk.task(signal="rank(-returns(close, 5))"), desk.task(signal="rank(-returns(close, 9))")
    known = [desk.run(task) for task in (one, other)]
    memory = Memory(desk.store, lasting=False)
    again = [
        execute(task, load_modules(task, desk.version), desk.raw(), desk.store, lambda event: None, memory=memory)
        for task in (one, other)
    ]
    assert [m.digest for m in again] == [m.digest for m in known]
    assert [s.cached for s in again[0].stages] == [False] * 6
    assert [s.cached for s in again[1].stages] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("stage", "setting", "value"),
    [
        ("clean", "spike_sigmas", 25.0),
        ("size", "no_trade_band", 0.01),
        ("execute", "commission_bps", 9.0),
    ],
)
def test_a_setting_moves_its_stage_and_nothing_upstream(desk: Desk, stage: Stage, setting: str, value: float) -> None:
    task = desk.task()
    modules = load_modules(task, desk.version)
    base = desk.run(task, modules)
    patched = desk.run(task, {**modules, stage: modules[stage].with_settings({setting: value})})
    at = STAGES.index(stage)
    assert [s.digest for s in patched.stages[:at]] == [s.digest for s in base.stages[:at]]
    assert all(s.cached for s in patched.stages[:at])
    assert not patched.stages[at].cached
    assert patched.stages[at].settings_digest != base.stages[at].settings_digest


def test_changed_code_is_a_new_identity_even_where_the_bits_agree(desk: Desk) -> None:
    task = desk.task()
    modules = load_modules(task, desk.version)
    base = desk.run(task, modules)
    again = desk.run(task, changed(modules, "size", code_digest="0" * 64))
    assert not again.stage("size").cached
    assert again.stage("execute").cached
    assert again.digest == base.digest


def test_another_signal_is_another_task(desk: Desk) -> None:
    one, other = desk.task(), desk.task(signal="rank(returns(close, 20))")
    assert one.digest != other.digest
    assert desk.run(one).digest != desk.run(other).digest


def test_an_output_that_breaks_its_contract_is_refused_with_rule_count_and_rows(desk: Desk) -> None:
    task = desk.task()
    modules = load_modules(task, desk.version)
    real = modules["size"].run

    def broken(*arguments: object) -> object:
        outputs = real(*arguments)  # type: ignore[call-arg]
        values = outputs.weights["weight"].copy()  # type: ignore[attr-defined]
        values[7, 2] = np.nan
        values[9, 1] = 3.0
        return dataclasses.replace(outputs, weights=outputs.weights.with_fields(weight=values))  # type: ignore[type-var, attr-defined]

    before = len(list(desk.runs))
    with pytest.raises(ContractError) as caught:
        desk.run(task, changed(modules, "size", run=broken, code_digest="broken"))
    error = caught.value
    assert (error.stage, error.module, error.side) == ("size", "rank_neutral", "outputs")
    assert {(v.rule, v.count) for v in error.violations} == {("weight is missing", 1), ("weight above 1.0", 1)}
    assert all(v.first_rows for v in error.violations)
    assert any("in stage size/rank_neutral of run" in note for note in error.__notes__)
    kinds = [e.kind for e in desk.events[-2:]]
    assert kinds == ["stage.refused", "run.failed"]
    assert len(list(desk.runs)) == before


def test_an_acceptance_failure_is_refused_and_never_cached(desk: Desk) -> None:
    task = desk.task()
    modules = changed(
        load_modules(task, desk.version),
        "size",
        accept=lambda *_: [Violation("weights", "too good to be true", 3)],
        code_digest="unaccepted",
    )
    for _ in range(2):
        with pytest.raises(ContractError, match="acceptance contract:\n  - weights: too good to be true"):
            desk.run(task, modules)


def test_the_lockbox_is_absent_from_every_artifact(desk: Desk) -> None:
    manifest = desk.run()
    limit = desk.version.lockbox_start_ns
    for record in manifest.stages:
        for digest in record.outputs.values():
            artifact = desk.store.get(digest)
            if isinstance(artifact, Panel):
                assert int(artifact.ts.max()) < limit
            elif "event_time" in artifact.columns and artifact.height:
                assert artifact.get_column("event_time").dt.epoch("ns").max() < limit  # type: ignore[operator]


@pytest.mark.parametrize(
    ("period", "error", "message"),
    [
        ({"end": "2013-03-01"}, LockboxError, "reaches into the lockbox of us5"),
        ({"start": "2005-01-01", "end": "2004-01-01"}, TaskError, "period is empty"),
        ({"start": "soon"}, TaskError, "period.start: 'soon' is not an ISO date"),
        ({"start": "2013-01-01"}, TaskError, "period is empty"),
    ],
)
def test_periods_that_cannot_be(desk: Desk, period: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        desk.task(**period)


def test_the_end_is_a_knowledge_time(desk: Desk) -> None:
    """A daily bar is known at its close: the day that is typed as the end is in, the next is not."""
    manifest = desk.run(desk.task(end="2004-06-30"), until="clean")
    bars = desk.store.get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    last = pl.from_epoch(pl.Series([int(bars.ts[-1])]), time_unit="ns")[0]
    assert str(last)[:10] == "2004-06-30"


def test_trading_starts_at_the_start_and_features_warm_up_before_it(desk: Desk) -> None:
    manifest = desk.run(desk.task(start="2004-01-01", end="2005-01-01"))
    nav = desk.store.get(manifest.output("nav"))
    signal = desk.store.get(manifest.output("signal"))
    assert isinstance(nav, pl.DataFrame) and isinstance(signal, Panel)
    assert str(nav.get_column("event_time").min())[:10] == "2004-01-02"
    assert signal.ts[0] < desk.task(start="2004-01-01").start_ns


def test_symbols_narrow_the_universe_and_unknown_ones_are_named(desk: Desk) -> None:
    some = desk.task().model_copy(update={"symbols": ("AAPL.NASDAQ", "IBM.NYSE")})
    bars = desk.store.get(desk.run(some, until="clean").output("bars"))
    assert isinstance(bars, Panel) and bars.symbols == ("AAPL.NASDAQ", "IBM.NYSE")
    with pytest.raises(TaskError, match=r"symbols ZZZ\.NYSE are not in us5"):
        desk.run(desk.task().model_copy(update={"symbols": ("ZZZ.NYSE",)}))


def test_an_artifact_whose_file_was_changed_is_refused_by_name_and_mended_by_a_run_without_cache(desk: Desk) -> None:
    manifest = desk.run()
    path = desk.store.find(manifest.output("bars"))
    assert path is not None
    whole = path.read_bytes()
    try:
        spoiled = bytearray(whole)
        spoiled[len(spoiled) // 2] ^= 1
        path.write_bytes(bytes(spoiled))
        with pytest.raises(ArtifactError, match="delete"):
            desk.store.get(manifest.output("bars"))
        assert desk.run(use_cache=False).digest == manifest.digest
        assert path.read_bytes() == whole
    finally:
        path.write_bytes(whole)


def honest(entry: _Entry, **outputs: str) -> str:
    """The entry with other outputs and the digest that goes with them: the work of somebody who knows how."""
    known = entry.known.model_copy(update={"outputs": {**entry.known.outputs, **outputs}})
    return _Entry.model_construct(
        key=entry.key, known=known, digest=pipeline_known._digest(entry.key, known)
    ).model_dump_json()


Poison = Callable[[_Entry, str], str]


@pytest.mark.parametrize(
    "poison",
    [
        lambda entry, text: "",
        lambda entry, text: text[: len(text) // 2],
        lambda entry, text: "garbage",
        lambda entry, text: "[]",
        lambda entry, text: "null",
        lambda entry, text: json.dumps({**json.loads(text), "known": {"outputs": 3}}),
        lambda entry, text: text.replace('"metrics":{', '"metrics":{"made_up":1.0,'),
        lambda entry, text: text.replace(entry.known.outputs["weights"], "f" * 64),
        lambda entry, text: honest(entry, weights="f" * 64),
        lambda entry, text: honest(entry, weights=NAV),
        lambda entry, text: honest(entry, extra=NAV),
        lambda entry, text: text.replace(entry.key, "e" * 64),
    ],
    ids=["empty", "half", "garbage", "list", "null", "types", "metric", "output", "missing", "kind", "names", "key"],
)
def test_a_poisoned_memory_is_not_believed(desk: Desk, poison: Poison, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.run()
    monkeypatch.setattr(sys.modules[__name__], "NAV", first.output("nav"))
    entries = {p: _Entry.model_validate_json(p.read_bytes()) for p in (desk.store.root / "known").rglob("*.json")}
    paths = [p for p, e in entries.items() if e.known.outputs.get("weights") == first.output("weights")]
    before = {p: p.read_text() for p in paths}
    try:
        for path, text in before.items():
            path.write_text(poison(entries[path], text))
        again = desk.run()
        assert (again.digest, again.metrics) == (first.digest, first.metrics)
        assert not again.stage("size").cached
        assert desk.run().stage("size").cached
    finally:
        for path, text in before.items():
            path.write_text(text)


def test_what_other_libraries_computed_is_computed_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.run()
    other = {**environment(), "numba": "0.0.1"}
    monkeypatch.setattr(pipeline, "environment", lambda: other)
    again = desk.run()
    assert not any(s.cached for s in again.stages)
    assert (again.digest, again.environment["numba"]) == (first.digest, "0.0.1")
    assert all(s.cached for s in desk.run().stages)


def test_a_run_that_stops_early_needs_no_later_module(desk: Desk) -> None:
    task = desk.task()
    modules = load_modules(task, desk.version)
    few = {stage: modules[stage] for stage in STAGES[:3]}
    manifest = execute(task, few, desk.raw(), desk.store, desk.events.append, until="feature")
    assert [s.stage for s in manifest.stages] == list(STAGES[:3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold `data:`"),
        ("data: us20\n", "stages: Field required"),
        ("data: us20\nstages: {ingest: sample}\n", "stages lacks clean, feature"),
        ("data: us20\nstagess: {}\n", "stagess: Extra inputs"),
        ("data: [\n", "is not YAML"),
        ("data: us20\nseed: -1\nstages: {}\n", "seed: Input should be greater than or equal to 0"),
    ],
)
def test_a_broken_pipeline_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(TaskError, match=message):
        load_pipeline(path)


def test_a_missing_pipeline_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"nowhere\.yaml cannot be read"):
        load_pipeline(tmp_path / "nowhere.yaml")
