"""Replay: equal to the bit, or the first stage, column and row that are not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import modules.replay as replaying
from modules.compare import first_difference
from modules.contract import Module, Stage
from modules.datastore import DataError
from modules.manifest import Manifest, RunError
from modules.panel import Panel
from modules.registry import RegistryError
from modules.replay import replay
from modules.task import load_modules
from tests.pipelines import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


def test_a_run_replays_equal_without_reading_the_cache(desk: Desk) -> None:
    manifest = desk.run()
    again = replay(manifest, desk.data, desk.store, desk.events.append)
    assert again.equal and again.difference is None
    assert again.found.digest == manifest.digest
    assert not any(s.cached for s in again.found.stages)


def with_run(monkeypatch: pytest.MonkeyPatch, desk: Desk, stage: Stage, **parts: object) -> None:
    real = replaying.load_module

    def load(at: str, name: str) -> Module:
        module = real(at, name)
        return dataclasses.replace(module, **parts) if at == stage else module  # type: ignore[arg-type]

    monkeypatch.setattr(replaying, "load_module", load)


def test_changed_code_with_the_same_bits_is_equal_and_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = desk.run()
    with_run(monkeypatch, desk, "size", code_digest="f" * 64)
    found = replay(manifest, desk.data, desk.store, desk.events.append)
    assert found.equal
    assert found.difference is not None and found.difference.same_bits
    assert (found.difference.stage, found.difference.causes, found.difference.artifact) == ("size", ("code",), None)


def test_one_changed_bit_is_named_with_stage_column_row_symbol_and_bits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = desk.run()
    real = load_modules(manifest.task, desk.version)["feature"].run
    seen: list[tuple[float, float]] = []

    def one_ulp_off(*arguments: object) -> object:
        outputs = real(*arguments)  # type: ignore[call-arg]
        values = outputs.signal["signal"].copy()  # type: ignore[attr-defined]
        seen.append((values[300, 3], np.nextafter(values[300, 3], 9.0)))
        values[300, 3] = seen[-1][1]
        return dataclasses.replace(outputs, signal=outputs.signal.with_fields(signal=values))  # type: ignore[type-var, attr-defined]

    with_run(monkeypatch, desk, "feature", run=one_ulp_off, accept=lambda *_: [], code_digest="e" * 64)
    difference = replay(manifest, desk.data, desk.store, desk.events.append).difference
    assert difference is not None
    assert (difference.stage, difference.artifact, difference.column, difference.row) == (
        "feature",
        "signal",
        "signal",
        300,
    )
    signal = desk.store.get(manifest.output("signal"))
    assert difference.symbol == signal.symbols[3]  # type: ignore[union-attr]
    assert (difference.recorded, difference.found) == seen[-1]
    assert difference.recorded_bits != difference.found_bits
    assert difference.causes == ("code",)


def test_a_table_cell_is_named(desk: Desk) -> None:
    manifest = desk.run()
    nav = desk.store.get(manifest.output("nav"))
    assert isinstance(nav, pl.DataFrame)
    cash = nav.get_column("cash_micros").to_list()
    cash[41] += 1
    digest = desk.store.put(nav.with_columns(pl.Series("cash_micros", cash)))
    stage = manifest.stage("execute")
    other = manifest.model_copy(
        update={
            "stages": (*manifest.stages[:-1], stage.model_copy(update={"outputs": {**stage.outputs, "nav": digest}}))
        }
    )
    difference = first_difference(manifest, other, desk.store)
    assert difference is not None
    assert (difference.stage, difference.column, difference.row) == ("execute", "cash_micros", 41)
    assert (difference.recorded, difference.found) == (cash[41] - 1, cash[41])
    assert difference.event_time is not None


def test_a_replay_uses_the_settings_that_were_recorded(desk: Desk) -> None:
    task = desk.task()
    modules = load_modules(task, desk.version)
    modules["size"] = modules["size"].with_settings({"no_trade_band": 0.013})
    manifest = desk.run(task, modules)
    assert replay(manifest, desk.data, desk.store, desk.events.append).equal


def test_a_replay_uses_the_data_version_that_was_recorded(desk: Desk) -> None:
    """A later version of the same name does not change what an old run means."""
    manifest = desk.run()
    assert desk.data.get(manifest.task.data, manifest.task.data_digest).digest == manifest.task.data_digest


@pytest.mark.parametrize(("run", "message"), [("nope", "'nope' is not a run"), ("2", r"fits \d+ runs")])
def test_runs_are_found_by_beginning_or_not_at_all(desk: Desk, run: str, message: str) -> None:
    manifests = [desk.run(), desk.run()]
    assert desk.runs.load("last").run_id == manifests[-1].run_id
    assert desk.runs.load(manifests[0].run_id).digest == manifests[0].digest
    with pytest.raises(RunError, match=message):
        desk.runs.load(run)


def test_a_manifest_survives_its_file(desk: Desk) -> None:
    manifest = desk.run()
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


def edited(manifest: Manifest, stage: Stage, **parts: object) -> Manifest:
    stages = tuple(s.model_copy(update=parts) if s.stage == stage else s for s in manifest.stages)
    return manifest.model_copy(update={"stages": stages})


def test_an_edited_output_digest_is_named(desk: Desk) -> None:
    manifest = desk.run()
    outputs = {**manifest.stage("size").outputs, "weights": "f" * 64}
    difference = replay(edited(manifest, "size", outputs=outputs), desk.data, desk.store, desk.events.append).difference
    assert difference is not None
    assert (difference.stage, difference.artifact) == ("size", "weights")
    assert "cannot be shown: artifact ffffffffffff is not in" in difference.message
    assert "was changed: digest of size does not fit it" in difference.message


@pytest.mark.parametrize(
    ("stage", "parts", "column"),
    [
        ("size", {"digest": "0" * 64}, "digest"),
        ("clean", {"settings_digest": "0" * 64}, "settings"),
        ("execute", {"metrics": {}}, "metrics.annual_return"),
    ],
)
def test_an_edited_record_is_named(desk: Desk, stage: Stage, parts: dict[str, object], column: str) -> None:
    manifest = edited(desk.run(), stage, **parts)
    difference = replay(manifest, desk.data, desk.store, desk.events.append).difference
    assert difference is not None
    assert (difference.stage, difference.column) == (stage, column)


def test_an_edited_task_is_named(desk: Desk) -> None:
    manifest = desk.run().model_copy(update={"task_digest": "0" * 64})
    difference = replay(manifest, desk.data, desk.store, desk.events.append).difference
    assert difference is not None
    assert (difference.causes, difference.column) == (("manifest",), "task_digest")


def test_a_metric_of_equal_artifacts_that_differs_in_one_bit_is_named(desk: Desk) -> None:
    manifest = desk.run()
    metrics = dict(manifest.stage("execute").metrics)
    metrics["net_sharpe"] = float(np.nextafter(metrics["net_sharpe"], 9.0))
    other = edited(manifest, "execute", metrics=metrics)
    difference = first_difference(manifest, other, desk.store)
    assert difference is not None
    assert (difference.stage, difference.column, difference.causes) == ("execute", "metrics.net_sharpe", ())
    assert difference.recorded_bits != difference.found_bits


def test_a_pruned_artifact_still_compares_by_digest(desk: Desk) -> None:
    manifest = desk.run()
    other = desk.run(desk.task(signal="rank(returns(close, 33))"))
    path = desk.store.find(other.output("signal"))
    assert path is not None
    path.unlink()
    assert replay(other, desk.data, desk.store, desk.events.append).equal
    path.unlink()
    difference = first_difference(manifest, other, desk.store)
    assert difference is not None
    assert (difference.stage, difference.artifact, difference.column) == ("feature", "signal", None)
    assert "cannot be shown" in difference.message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"module": "kelly"}, "from stage size/kelly on: module size/kelly does not exist"),
        ({"settings": {"weight_cap": 0.4}}, "from stage size/rank_neutral on: .*weight_cap = 0.4: Input should be"),
        ({"settings": {"bands": 1}}, "from stage size/rank_neutral on: .*bands = 1: Extra inputs"),
    ],
)
def test_a_run_that_todays_code_cannot_repeat_names_run_and_stage(
    desk: Desk, parts: dict[str, object], message: str
) -> None:
    manifest = edited(desk.run(), "size", **parts)
    with pytest.raises(RegistryError, match=f"run {manifest.run_id} cannot be replayed {message}.*check out the code"):
        replay(manifest, desk.data, desk.store, desk.events.append)


def test_a_data_version_that_is_gone_is_named(desk: Desk) -> None:
    manifest = desk.run()
    lost = manifest.model_copy(update={"task": manifest.task.model_copy(update={"data_digest": "9" * 64})})
    with pytest.raises(DataError, match="data set 'us5' has no version '9999"):
        replay(lost, desk.data, desk.store, desk.events.append)


@pytest.mark.parametrize(
    ("signal", "stages"),
    [("exp(returns(close, 3)) ** 1.5", {}), (None, {"size": "vol_target"})],
    ids=["signal", "vol_target"],
)
def test_other_modules_and_signals_replay(desk: Desk, signal: str | None, stages: dict[Stage, str]) -> None:
    task = desk.task(signal=signal)
    manifest = desk.run(task.model_copy(update={"stages": {**task.stages, **stages}}))
    assert replay(manifest, desk.data, desk.store, desk.events.append).equal


def test_a_run_that_stopped_early_replays_as_far(desk: Desk) -> None:
    manifest = desk.run(until="feature")
    assert replay(manifest, desk.data, desk.store, desk.events.append).equal


def test_another_environment_is_shown_where_something_differs(desk: Desk) -> None:
    manifest = desk.run()
    elsewhere = manifest.model_copy(update={"environment": {**manifest.environment, "numpy": "1.0", "gone": "2"}})
    assert first_difference(elsewhere, manifest, desk.store) is None
    difference = first_difference(edited(elsewhere, "size", metrics={}), manifest, desk.store)
    assert difference is not None
    here = manifest.environment["numpy"]
    assert difference.environment == ("gone: 2, now not there", f"numpy: 1.0, now {here}")


@pytest.mark.parametrize(
    ("changes", "stage", "artifact", "row", "message"),
    [
        ({"end": "2004-06-30"}, "clean", "records", True, "the tasks have another end_ns"),
        ({"start": "2003-01-02"}, "backtest", "evidence", True, ""),
        ({"signal": "rank(returns(close, 7))"}, "feature", "signal", True, ""),
    ],
)
def test_runs_of_other_periods_and_signals_differ_at_a_named_cell(
    desk: Desk, changes: dict[str, str], stage: str, artifact: str, row: bool, message: str
) -> None:
    difference = first_difference(desk.run(), desk.run(desk.task(**changes)), desk.store)
    assert difference is not None
    assert (difference.stage, difference.artifact, difference.row is not None) == (stage, artifact, row)
    assert difference.event_time is not None
    assert re.search(message, difference.message)


def test_runs_of_other_symbols_differ_at_the_door(desk: Desk) -> None:
    some = desk.run(desk.task().model_copy(update={"symbols": ("IBM.NYSE", "MSFT.NASDAQ")}))
    difference = first_difference(desk.run(), some, desk.store)
    assert difference is not None
    assert (difference.stage, difference.artifact, difference.row, difference.column) == (
        "clean",
        "records",
        0,
        "symbol",
    )
    assert difference.message == "the tasks have another symbols"


T = np.array([0, 10, 20])
SHAPES = [
    (Panel(T, ("A",), {"x": np.zeros((3, 1))}), Panel(T, ("B",), {"x": np.zeros((3, 1))}), "symbols", None),
    (Panel(T, ("A",), {"x": np.zeros((3, 1))}), Panel(T, ("A",), {"y": np.zeros((3, 1))}), "fields", None),
    (Panel(T, ("A",), {"x": np.zeros((3, 1))}), Panel(T[:2], ("A",), {"x": np.zeros((2, 1))}), "ts", 2),
    (Panel(T, ("A",), {"x": np.zeros((3, 1))}), Panel(T + 1, ("A",), {"x": np.zeros((3, 1))}), "ts", 0),
    (Panel(T, ("A",), {"x": np.zeros((3, 1))}), Panel(T, ("A",), {"x": np.full((3, 1), np.nan)}), "x", 0),
    (pl.DataFrame({"x": [1.0, None]}), pl.DataFrame({"x": [1.0, 0.0]}), "x", 1),
    (pl.DataFrame({"x": [1, None]}), pl.DataFrame({"x": [1, 0]}), "x", 1),
    (pl.DataFrame({"x": ["a", "b"]}), pl.DataFrame({"x": ["a", "c"]}), "x", 1),
    (pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [1.0]}), "schema", None),
    (pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [1, 2]}), None, 1),
    (pl.DataFrame({"x": [1]}).clear(), pl.DataFrame({"x": [1]}), None, 0),
    (pl.DataFrame({"x": [1]}), Panel(T, ("A",), {"x": np.zeros((3, 1))}), None, None),
]


@pytest.mark.parametrize(("one", "other", "column", "row"), SHAPES)
def test_any_two_artifacts_are_compared(
    desk: Desk, one: Panel | pl.DataFrame, other: Panel | pl.DataFrame, column: str | None, row: int | None
) -> None:
    manifest = desk.run()
    a, b = (edited(manifest, "size", outputs={"weights": desk.store.put(x)}) for x in (one, other))
    difference = first_difference(a, b, desk.store)
    assert difference is not None
    assert (difference.stage, difference.artifact) == ("size", "weights")
    assert (difference.column, difference.row) == (column, row)
    assert difference.message or difference.recorded != difference.found


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda text: text[: len(text) // 2], "first the file: Invalid JSON: EOF"),
        (lambda text: "", "first the file: Invalid JSON: EOF"),
        (lambda text: text.replace('"seed": 0', '"seed": "x"'), "first task.seed: Input should be a valid integer"),
    ],
)
def test_a_manifest_that_was_cut_short_is_named(desk: Desk, cut: Callable[[str], str], message: str) -> None:
    path = desk.runs.root / f"{desk.run().run_id}.json"
    whole = path.read_text()
    try:
        path.write_text(cut(whole))
        with pytest.raises(RunError, match=f"manifest {path} cannot be read: 1 fields are off, {message}.*; delete it"):
            desk.runs.load(path.stem)
    finally:
        path.write_text(whole)
