"""Facts in the pipeline.

1. A task without facts is the task it was before there were any: its digest, its recorded manifests.
2. A module that reads facts is refused without them, with the remedy; sets of the wrong kind are refused where named.
3. Facts come through the door: nothing accepted after the task's end, nothing from the lockbox of the facts or of the
   bars, whatever end a task made by hand names; and a changed lockbox changes no bit.
4. Facts are an input of the stage that reads them: recorded, remembered, replayed, and named where two runs differ.
5. A run that ends earlier gives the same rows: what was filed later does not reach back.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.canonical import digest_json
from modules.compare import first_difference
from modules.contract import TIME, ContractError, Module, Stage
from modules.datastore import DataError
from modules.facts.adding import add_facts
from modules.manifest import Manifest
from modules.panel import Panel, iso, ns
from modules.pipeline import RawSource, execute
from modules.replay import replay
from modules.signal import SignalError
from modules.sources import source_of
from modules.task import LockboxError, Task, TaskError, load_modules, load_pipeline, make_task
from tests.modules.facts.files import US5, Row, add_us5_facts, company, write_facts
from tests.pipelines import CHECKOUT, SPEC, Desk

pytestmark = pytest.mark.slow

VALUE = SPEC.model_copy(update={"stages": {**SPEC.stages, "feature": "value"}})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    home = tmp_path_factory.mktemp("desk")
    desk = Desk(home, facts_name="us5_facts", spec=VALUE)
    add_us5_facts(desk.data, home)
    return desk


def facts_seen(desk: Desk, manifest: Manifest) -> pl.DataFrame:
    facts = desk.store.get(manifest.stage("feature").inputs["facts"])
    assert isinstance(facts, pl.DataFrame)
    return facts


def latest_ns(facts: pl.DataFrame) -> int:
    return int(facts.get_column("available_at").to_physical().max())  # type: ignore[arg-type]


OLD_TASK = {
    "data_digest": "d" * 64, "symbols": None, "signal": None, "seed": 0, "start_ns": 1, "end_ns": 2,
    "stages": {"ingest": "sample"}, "objective": "net_sharpe",
}  # fmt: skip


def test_1_a_task_without_facts_keeps_its_digest() -> None:
    task = Task.model_validate({"data": "us20", **OLD_TASK})
    assert task.digest == digest_json(OLD_TASK)
    with_facts = task.model_copy(update={"facts": "a", "facts_digest": "f" * 64})
    assert with_facts.digest != task.digest
    assert with_facts.digest == with_facts.model_copy(update={"facts": "another name"}).digest
    assert with_facts.digest != with_facts.model_copy(update={"facts_digest": "e" * 64}).digest
    with pytest.raises(ValueError, match="give both or neither"):
        Task.model_validate({"data": "us20", **OLD_TASK, "facts": "a"})


def test_1_an_older_manifest_and_pipeline_load(desk: Desk, tmp_path: Path) -> None:
    plain = Desk(desk.home)
    manifest = plain.run(plain.task(end="2003-12-31"), until="clean")
    text = json.loads(manifest.model_dump_json())
    assert text["task"].pop("facts") is None and text["task"].pop("facts_digest") is None
    old = Manifest.model_validate(text)
    assert (old.digest, old.task.digest) == (manifest.digest, manifest.task_digest)
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "\n".join(line for line in (CHECKOUT / "pipeline.yaml").read_text().splitlines() if "facts" not in line)
    )
    assert load_pipeline(path).facts is None


def test_2_a_module_that_reads_facts_is_refused_without(desk: Desk) -> None:
    plain = Desk(desk.home, spec=VALUE)
    with pytest.raises(TaskError, match="feature/value asks for facts, and the task names none; set `facts:` in pipe"):
        plain.run(plain.task(end="2003-12-31"))
    with pytest.raises(TaskError, match=r"the pipeline asks for facts us5_facts, and no version"):
        make_task(VALUE.model_copy(update={"facts": "us5_facts"}), desk.version)


def test_a_signal_of_ones_own_may_name_facts(desk: Desk) -> None:
    spec = SPEC.model_copy(update={"stages": {**SPEC.stages, "feature": "facts_expression"}})
    own = Desk(desk.home, facts_name="us5_facts", spec=spec)
    signal = "rank(revenue_ttm / revenue_ttm_year_ago) + group_rank(-returns(close, 5), sector)"
    manifest = own.run(own.task(signal=signal, end="2003-12-31"), until="feature")
    assert manifest.stage("feature").metrics["coverage"] > 0.5
    plain = Desk(desk.home)
    with pytest.raises(
        SignalError, match=r"unknown field revenue_ttm; it is made of facts: set stages\.feature to facts"
    ):
        plain.run(plain.task(signal="rank(revenue_ttm)", end="2003-12-31"))


def test_2_sets_of_the_wrong_kind(desk: Desk) -> None:
    facts = desk.data.current("us5_facts")
    with pytest.raises(TaskError, match="data: us5_facts is a set of facts"):
        make_task(VALUE, facts)
    with pytest.raises(TaskError, match="facts: us5 is a set of bars"):
        make_task(VALUE, desk.version, facts=desk.version)
    with pytest.raises(DataError, match="us5 is the name of a bundled set"):
        add_facts(desk.data, "us5", [])
    task = desk.task()
    bare = dataclasses.replace(desk.raw(), facts=None)
    with pytest.raises(TaskError, match=r"the task needs facts us5_facts .*, given were none"):
        execute(task, load_modules(task, desk.version), bare, desk.store, desk.events.append)


def test_3_the_default_end_is_the_first_lockbox(desk: Desk) -> None:
    facts, bars = desk.data.current("us5_facts"), desk.version
    assert facts.lockbox_start_ns < bars.lockbox_start_ns
    assert desk.task().end_ns == facts.lockbox_start_ns
    begins = iso(facts.lockbox_start_ns)
    with pytest.raises(LockboxError, match=f"reaches into the lockbox of us5_facts, which begins at {begins}"):
        desk.task(end=facts.lockbox_start_ns + 1)
    with pytest.raises(LockboxError, match="reaches into the lockbox of us5,"):
        make_task(VALUE, bars, end=bars.lockbox_start_ns + 1)


def test_3_nothing_comes_through_the_door_too_early(desk: Desk) -> None:
    facts = desk.data.current("us5_facts")
    end = desk.task(end="2004-12-31").end_ns
    seen = facts_seen(desk, desk.run(desk.task(end="2004-12-31")))
    assert 0 < latest_ns(seen) <= end
    assert (seen.get_column("available_at").to_physical() > ns("2004-08-01")).any()
    # an end deep in both lockboxes, named by hand
    task = desk.task().model_copy(update={"end_ns": ns("2099-01-01")})
    assert latest_ns(facts_seen(desk, desk.run(task))) < min(facts.lockbox_start_ns, desk.version.lockbox_start_ns)


def test_3_facts_of_the_bars_lockbox_are_kept_with_it(tmp_path: Path) -> None:
    """Facts that go on for years after the bars: their own lockbox begins after that of the bars."""
    desk = Desk(tmp_path, facts_name="us5_facts", spec=VALUE)
    facts = add_us5_facts(desk.data, tmp_path, range(1998, 2030))
    bars = desk.version
    assert facts.lockbox_start_ns > bars.last_ns
    assert desk.task().end_ns == bars.lockbox_start_ns
    task = desk.task().model_copy(update={"end_ns": ns("2099-01-01")})
    source = source_of(desk.data, task)
    assert source.facts is not None and latest_ns(source.facts.load()) < bars.lockbox_start_ns
    assert latest_ns(facts_seen(desk, desk.run(task, until="feature"))) < bars.lockbox_start_ns


def test_3_the_door_does_not_rely_on_the_source(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that hands on what it must keep, and a task made by hand that asks for it."""
    real = desk.raw()
    assert real.facts is not None
    everything = real.facts.load()
    late = everything.head(1).with_columns(
        pl.lit(real.facts.before_ns).cast(TIME).alias("available_at"), pl.lit("late").alias("accession")
    )
    leaky = dataclasses.replace(real.facts, load=lambda: pl.concat([everything, late]))
    monkeypatch.setattr(desk, "raw", lambda: dataclasses.replace(real, facts=leaky))
    task = desk.task().model_copy(update={"end_ns": ns("2098-01-01")})
    seen = facts_seen(desk, desk.run(task, until="feature", use_cache=False))
    assert latest_ns(seen) < real.facts.before_ns and "late" not in seen.get_column("accession")


def rewritten(rows: list[Row], start: int) -> list[Row]:
    """The rows with every value from a moment on changed beyond recognition."""
    late = [ns(r[4]) >= start for r in rows]
    return [(*r[:6], 17.0 + i, *r[7:]) if is_late else r for i, (r, is_late) in enumerate(zip(rows, late, strict=True))]


def test_3_a_changed_lockbox_changes_no_bit(tmp_path: Path) -> None:
    rows = [r for i, s in enumerate(US5) for r in company(s, range(1998, 2006), 1.0 + i)]
    desks = []
    for name in ("a", "b"):
        home = tmp_path / name
        home.mkdir()
        desk = Desk(home, facts_name="mine", spec=VALUE)
        if desks:
            rows = rewritten(rows, desks[0].data.current("mine").lockbox_start_ns)
        add_facts(desk.data, "mine", [write_facts(home / "facts.csv", rows)])
        desks.append(desk)
    a, b = (d.data.current("mine") for d in desks)
    assert a.digest != b.digest and a.open_digest == b.open_digest and a.lockbox_start_ns == b.lockbox_start_ns
    first, second = (d.run(until="feature") for d in desks)
    assert first.digest == second.digest and first.metrics == second.metrics


@pytest.mark.parametrize("change", ["more rows", "fewer rows", "garbage"])
def test_3_registering_again_unlocks_nothing(change: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, facts_name="mine")
    rows = company(US5[0], range(1998, 2006))
    first = add_facts(desk.data, "mine", [write_facts(tmp_path / "facts.csv", rows)]).version
    other = {
        "more rows": company(US5[0], range(1998, 2012)),
        "fewer rows": rows[: len(rows) // 2],
        "garbage": rewritten(rows, 0),
    }[change]
    second = add_facts(desk.data, "mine", [write_facts(tmp_path / "facts.csv", other)]).version
    assert second.digest != first.digest
    assert second.lockbox_start_ns <= first.lockbox_start_ns
    assert first.mining_end_ns <= second.mining_end_ns or second.mining_end_ns < second.lockbox_start_ns
    last = desk.data.raw(second).get_column("available_at").max()
    assert last < pl.Series([first.lockbox_start_ns]).cast(TIME)[0]


def test_3_adding_shows_no_value_of_the_lockbox(tmp_path: Path) -> None:
    rows = company(US5[0], range(1998, 2006))
    secret = 987654321.125
    late = [r for r in rows if r[4] >= "2005"]
    bad = [(*r[:6], secret, r[7], f"x{i}") for i, r in enumerate(late[:3])]  # differ from what stands beside them
    desk = Desk(tmp_path, facts_name="mine")
    added = add_facts(desk.data, "mine", [write_facts(tmp_path / "facts.csv", [*rows, *bad])])
    assert added.refused == {"conflicting_duplicate": 6}
    assert all("values not shown: lockbox" in line for line in added.first_refused["conflicting_duplicate"])
    clear = [p for p in (tmp_path / "data").rglob("*") if p.suffix in (".json", "") and p.is_file()]
    assert "987654321" not in " ".join(p.read_text() for p in clear) + str(added)
    assert pl.read_parquet(tmp_path / "data" / "mine" / "v1" / "times.parquet").columns == ["source_event_time"]


def test_4_facts_are_an_input_recorded_remembered_and_replayed(desk: Desk) -> None:
    task = desk.task(end="2005-12-31")
    first = desk.run(task)
    assert set(first.stage("feature").inputs) == {"bars", "instruments", "records", "facts"}
    assert (first.task.facts, first.task.facts_digest) == ("us5_facts", desk.data.current("us5_facts").digest)
    started = next(e for e in reversed(desk.events) if e.kind == "run.started")
    assert started.facts_digest == first.task.facts_digest  # type: ignore[union-attr]
    again = desk.run(task)
    assert again.digest == first.digest and all(s.cached for s in again.stages)
    replayed = replay(first, desk.data, desk.store, desk.events.append)
    assert replayed.equal and not any(s.cached for s in replayed.found.stages)


def test_4_a_second_run_reads_no_facts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.run(desk.task(end="2005-12-31"))
    real = desk.raw()
    assert real.facts is not None
    never = dataclasses.replace(real.facts, load=lambda: pytest.fail("facts were read"))
    monkeypatch.setattr(desk, "raw", lambda: RawSource(real.digest, lambda: pytest.fail("raw rows were read"), never))
    assert desk.run(desk.task(end="2005-12-31")).digest == first.digest


def test_4_runs_on_other_facts_part_at_the_door(tmp_path: Path) -> None:
    desk = Desk(tmp_path, facts_name="mine", spec=VALUE)
    rows = [r for i, s in enumerate(US5) for r in company(s, range(1998, 2010), 1.0 + i)]
    add_facts(desk.data, "mine", [write_facts(tmp_path / "facts.csv", rows)])
    first = desk.run(desk.task(end="2004-12-31"), until="feature")
    rows[30] = (*rows[30][:6], float(str(rows[30][6])) + 1.0, *rows[30][7:])
    add_facts(desk.data, "mine", [write_facts(tmp_path / "facts.csv", rows)])
    second = desk.run(desk.task(end="2004-12-31"), until="feature")
    assert first.task_digest != second.task_digest
    found = first_difference(first, second, desk.store)
    assert found is not None
    assert (found.stage, found.artifact, found.column) == ("feature", "facts", "value")
    assert found.symbol == rows[30][0] and "the tasks have another facts_digest" in found.message
    # the old version is still there, so the old run replays
    assert replay(first, desk.data, desk.store, desk.events.append).equal


def test_5_a_run_that_ends_earlier_gives_the_same_rows(desk: Desk) -> None:
    long = desk.store.get(desk.run(desk.task(end="2005-12-31")).output("signal"))
    assert isinstance(long, Panel)
    for end in ("2002-06-28", "2003-02-10", "2004-05-10", "2004-05-11"):
        short = desk.store.get(desk.run(desk.task(end=end), until="feature").output("signal"))
        assert isinstance(short, Panel)
        same = long.rows(0, short.shape[0])
        assert np.array_equal(same.ts, short.ts)
        columns = [long.symbols.index(s) for s in short.symbols]
        assert np.ascontiguousarray(same["signal"][:, columns]).tobytes() == short["signal"].tobytes()


def test_a_leaking_reader_is_refused_by_its_acceptance(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that joins by the end of the period, as naive backtests do."""
    import modules.fundamentals as fundamentals

    real = fundamentals._follow
    task = desk.task(end="2004-12-31")
    modules: dict[Stage, Module] = load_modules(task, desk.version)
    modules["feature"] = dataclasses.replace(modules["feature"], code_digest="leaks")
    monkeypatch.setattr(
        fundamentals,
        "_follow",
        lambda statements, looks: real(sorted((e, e, q, v) for _, e, q, v in statements), looks),
    )
    with pytest.raises(ContractError, match="reads facts before they were known"):
        desk.run(task, modules)
