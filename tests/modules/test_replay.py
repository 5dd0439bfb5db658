"""Replay: equal to the bit, or the first stage, column and row that are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import modules.replay as replaying
from modules.compare import first_difference
from modules.contract import Module, Stage
from modules.manifest import Manifest, RunError
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


def test_changed_code_with_the_same_bits_is_not_equal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = desk.run()
    with_run(monkeypatch, desk, "size", code_digest="f" * 64)
    found = replay(manifest, desk.data, desk.store, desk.events.append)
    assert not found.equal
    assert found.difference is not None
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
