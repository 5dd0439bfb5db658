"""`cws feature` on a bundled set, in one workspace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from cli.barsource import measured_facts
from cli.session import session
from modules.datastore import DataStore
from modules.feature import library
from modules.feature.library import families, find
from modules.featurestore import FeatureStore, Source, Wanted
from modules.signal import evaluate
from modules.sources import open_facts
from tests.cli.checkout import make_checkout
from tests.cli.conftest import Cws
from tests.modules.facts.files import add_us5_facts

pytestmark = pytest.mark.slow

US5 = ("--data", "us5")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workspace for the tests of this file."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(autouse=True)
def workspace(shared: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """After `home`, so that it wins; ROC5 is stored."""
    monkeypatch.setenv("CWS_HOME", str(shared))
    yield shared


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The library with a second version of ROC5."""
    old = find("ROC5@1")
    new = dataclasses.replace(old, expr="log(delay(close, 5) / close)", version=2)
    changed = {**families(), "alpha158": (*families()["alpha158"], new)}
    monkeypatch.setattr(library, "_FAMILIES", changed)
    library._index.cache_clear()
    yield new.reference
    monkeypatch.undo()
    library._index.cache_clear()


def test_list_finds_by_family_and_text(cws: Cws) -> None:
    everything = cws("feature", "list", "--json").json["features"]
    assert len(everything) == len(library.library())
    assert all({"feature", "family", "sign", "source", "expr"} <= f.keys() for f in everything)
    found = cws("feature", "list", "shadow", "--family", "alpha158", "--json").json["features"]
    assert {f["feature"] for f in found} == {"KUP@1", "KUP2@1", "KLOW@1", "KLOW2@1"}
    assert "KUP2@1" in cws("feature", "list", "shadow").out
    assert "rev_gap@1" in cws("feature", "list", "reversal").out
    nothing = cws("feature", "list", "no such words")
    assert nothing.code == 0 and "no feature fits" in nothing.err
    wrong = cws("feature", "list", "--family", "beta", "--json")
    assert wrong.code == 2 and "alpha158" in wrong.json["error"]["remedy"]


def test_show_says_what_it_is_and_what_is_stored(cws: Cws) -> None:
    shown = cws("feature", "show", "KMID", "--json").json
    assert (shown["feature"], shown["unit"], shown["warmup_bars"]) == ("KMID@1", "a plain number", 0)
    assert shown["fields"] == ["close", "open"] and shown["versions"] == ["KMID@1"] and shown["words"]
    assert "not stored; `cws feature build KMID`" in cws("feature", "show", "KMID").out
    cws("feature", "build", "KMID", *US5)
    (stored,) = cws("feature", "show", "KMID@1", "--json").json["stored"]
    assert stored["current"] is True and stored["computation"] == shown["computation"]
    wrong = cws("feature", "show", "KMIT", "--json")
    assert wrong.code == 2 and "KMID" in wrong.json["error"]["message"]


def test_build_stores_what_is_new_and_says_what_was_there(cws: Cws) -> None:
    first = cws("feature", "build", "ROC30", "MA30", "ROC30@1", *US5, "--json").json
    assert (first["new"], first["there"], first["refused"]) == (["ROC30@1", "MA30@1"], [], {})
    again = cws("feature", "build", "ROC30", "MA30", *US5)
    assert again.code == 0 and "nothing new was stored" in again.out and "2 were there already" in again.out
    last = cws("feature", "history", "--verify", "--json").json
    assert last["commits"][0]["version"] == first["version"] and last["commits"][0]["features"] == first["new"]
    assert last["verified_files"] >= first["files"]
    (event,) = cws(
        "trace", "query", f"SELECT * FROM features_stored WHERE version = {first['version']}", "--json"
    ).json["rows"]
    assert event["data"] == "us5" and event["features"] == first["new"]


def test_what_the_bars_do_not_allow_is_named(cws: Cws) -> None:
    """us20 has closes alone."""
    done = cws("feature", "build", "KMID", "ROC5", "--data", "us20", "--json").json
    assert done["new"] == ["ROC5@1"] and "open" in done["refused"]["KMID@1"]
    alone = cws("feature", "build", "KMID", "--data", "us20")
    assert alone.code == 1 and "nothing new" in alone.out and "KMID@1" in alone.out


def test_read_gives_what_eval_gives(cws: Cws, tmp_path: Path) -> None:
    cws("feature", "build", "ROC5", "MA5", *US5)
    stored, evaluated = tmp_path / "stored.parquet", tmp_path / "evaluated.parquet"
    done = cws("feature", "read", "ROC5", "MA5@1", *US5, "--out", str(stored), "--json").json
    cws("signal", "eval", find("ROC5").expr, *US5, "--out", str(evaluated))
    table = pl.read_parquet(stored)
    assert table.height == done["rows"] and set(table.get_column("feature")) == {"ROC5@1", "MA5@1"}
    one = table.filter(pl.col("feature") == "ROC5@1").select("event_time", "symbol", "value")
    assert one.equals(pl.read_parquet(evaluated))
    assert (table.get_column("available_at") > table.get_column("event_time")).all()


def test_read_as_of_and_of_a_period(cws: Cws, tmp_path: Path) -> None:
    cws("feature", "build", "ROC5", *US5)
    out = str(tmp_path / "x.parquet")
    period = ("--start", "2005-01-01", "--end", "2005-06-30")
    done = cws("feature", "read", "ROC5", *US5, *period, "--as-of", "2005-03-01T18:00:00Z", "--out", out, "--json").json
    assert (done["start"], done["end"]) == ("2005-01-03", "2005-02-28"), "of 1 March nothing is known before its close"
    done = cws("feature", "read", "ROC5", *US5, *period, "--as-of", "2005-03-01", "--out", out, "--json").json
    assert done["end"] == "2005-03-01"
    early = cws("feature", "read", "ROC5", *US5, "--as-of", "1999-01-01", "--out", out, "--json")
    assert early.code == 2 and "the first values were known at 2000-03-0" in early.json["error"]["message"]
    for option in ("--as-of", "--start", "--end"):
        wrong = cws("feature", "read", "ROC5", *US5, option, "soon", "--out", out, "--json")
        assert wrong.code == 2 and f"{option}: 'soon' is not an ISO date" in wrong.json["error"]["message"]


def test_what_cannot_be_read_is_said(cws: Cws, tmp_path: Path) -> None:
    cws("feature", "build", "ROC5", *US5)
    out = str(tmp_path / "x.parquet")
    for argv, said in (
        (("KLEN", *US5, "--out", out), "KLEN@1 by computation"),
        (("NOPE", *US5, "--out", out), "there is no feature NOPE"),
        (("ROC5", "--data", "us6", "--out", out), "data set 'us6' is not registered"),
        (("ROC5", *US5, "--out", str(tmp_path / "x.csv")), "does not end in .parquet"),
        (("ROC5", *US5, "--out", out, "--computation", "0000"), "is no stored computation of ROC5@1; stored are"),
        (("ROC5", *US5, "--out", out, "--version", "99"), "the feature store has no version 99"),
    ):
        done = cws("feature", "read", *argv, "--json")
        assert done.code == 2 and said in done.json["error"]["message"], done.err
    assert not list(tmp_path.iterdir())


def test_no_bar_of_the_lockbox_is_stored(cws: Cws, shared: Path) -> None:
    cws("feature", "build", "ROC5", *US5)
    version = DataStore(shared / "data").current("us5")
    rows = pl.scan_delta(str(FeatureStore(shared / "features").root)).filter(pl.col("data") == "us5").collect()
    edge = pl.lit(version.lockbox_start_ns).cast(pl.Datetime("ns", "UTC"))
    assert rows.height and rows.filter(pl.col("event_time") >= edge).is_empty()
    assert rows.filter(pl.col("available_at") > edge).is_empty()
    assert version.last_ns > version.lockbox_start_ns


@pytest.mark.slow
def test_a_changed_definition_leaves_the_old_values_and_runs(cws: Cws, tmp_path: Path, second: str) -> None:
    """Version 1 was built and used; version 2 comes; both are readable, and the run replays."""
    out = tmp_path / "x.parquet"

    def values(*argv: str) -> pl.DataFrame:
        done = cws("feature", "read", *argv, *US5, "--out", str(out), "--json")
        assert done.code == 0, done.err
        return pl.read_parquet(out)

    pipeline = tmp_path / "pipeline.yaml"
    text = (Path(__file__).resolve().parents[2] / "pipeline.yaml").read_text()
    pipeline.write_text(text.replace("feature: expression", "feature: alpha158"))
    cws("feature", "build", "ROC5@1", *US5)
    before = values("ROC5@1")
    ran = cws("run", str(pipeline), *US5, "--from", "2005-01-01", "--to", "2005-12-31", "--no-report", "--json")
    assert ran.code == 0, ran.err
    built = cws("feature", "build", "ROC5", *US5, "--json").json
    assert built["new"] + built["there"] == [second]
    after = values("ROC5")
    assert values("ROC5@1").equals(before) and set(after.get_column("feature")) == {second}
    assert not after.get_column("value").equals(before.get_column("value"))
    shown = cws("feature", "show", "ROC5@1", "--json").json
    assert shown["versions"] == ["ROC5@1", second]
    assert values("ROC5@1", "--computation", shown["computation"][:10]).equals(before)
    replayed = cws("replay", ran.json["run_id"], "--json")
    assert replayed.code == 0, replayed.out


def test_a_feature_that_left_the_library_is_read_by_its_computation(cws: Cws, tmp_path: Path, second: str) -> None:
    cws("feature", "build", second, *US5)
    computation = cws("feature", "show", second, "--json").json["computation"]
    library._FAMILIES = {"alpha158": families()["alpha158"][:-1]}  # type: ignore[attr-defined]  # undone by the fixture
    library._index.cache_clear()
    out = str(tmp_path / "x.parquet")
    assert cws("feature", "read", second, *US5, "--out", out).code == 2
    done = cws("feature", "read", second, *US5, "--out", out, "--computation", computation[:12], "--json")
    assert done.json["features"] == {second: computation}


def test_features_of_facts_are_built_and_read_beside_the_others(cws: Cws, shared: Path, tmp_path: Path) -> None:
    """The same values as from the panel that the families make of facts, and none before the first report was filed."""
    facts = add_us5_facts(DataStore(shared / "data"), tmp_path)
    out = tmp_path / "x.parquet"
    alone = cws("feature", "build", "book_to_market", "ROC5", *US5, "--json").json
    assert set(alone["refused"]) == {"book_to_market@1"} and "--facts" in alone["refused"]["book_to_market@1"]
    assert cws("feature", "read", "book_to_market", *US5, "--out", str(out)).code == 2
    names = ("book_to_market", "ROC5")
    built = cws("feature", "build", *names, *US5, "--facts", facts.name, "--json").json
    assert (built["new"], built["there"], built["refused"]) == (["book_to_market@1"], ["ROC5@1"], {})
    again = cws("feature", "build", *names, *US5, "--facts", facts.name, "--json").json
    assert again["new"] == [] and len(again["there"]) == 2
    read = cws("feature", "read", *names, *US5, "--facts", facts.name, "--out", str(out), "--json")
    assert read.code == 0 and set(read.json["features"]) == {"book_to_market@1", "ROC5@1"}
    table = pl.read_parquet(out).filter(pl.col("feature") == "book_to_market@1")
    with session() as s:
        panel = measured_facts(s, "us5", facts.name).bars
        version = s.version("us5")
    values = evaluate(find("book_to_market").node, panel)
    assert table.get_column("value").fill_null(float("nan")).to_numpy().tobytes() == values.tobytes()
    known = table.drop_nulls("value")
    assert known.height > 1_000
    first = open_facts(DataStore(shared / "data"), facts, version.lockbox_start_ns).get_column("available_at").min()
    assert known.get_column("available_at").min() >= first


@pytest.mark.slow
def test_an_edited_definition_in_a_checkout(tmp_path: Path) -> None:
    """As above with the file edited and a process for each command: the run gives the same bits, and its replay is
    equal and says that the code has moved on."""
    made = make_checkout(tmp_path / "checkout")
    pipeline = made.root / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("feature: expression", "feature: alpha158"))
    definitions = made.root / "modules" / "feature" / "alpha158" / "definitions.py"
    assert made.cws_process("feature", "build", "ROC5", *US5, "--json").json["new"] == ["ROC5@1"]
    assert made.cws_process("run", *US5, "--no-report", "--json").code == 0
    store = FeatureStore(made.workspace.features)
    (first,) = store.state().builds.values()
    source = Source("us5", first.key.data_version, first.key.bars, 2**62)
    before = store.read([Wanted("ROC5@1", first.key.computation)], source)
    row = 'Feature("ROC5", "log(delay(close, 5) / close)", 0, "test", version=2)'
    definitions.write_text(f"{definitions.read_text()}\nFEATURES = (*FEATURES, {row})\n")
    assert made.cws_process("feature", "build", "ROC5", *US5, "--json").json["new"] == ["ROC5@2"]
    old, new = store.state().builds.values()
    assert old == first and new.key.computation != old.key.computation
    assert store.read([Wanted("ROC5@1", old.key.computation)], source)["ROC5@1"].tobytes() == before["ROC5@1"].tobytes()
    again = made.cws_process("replay", "last", "--json")
    assert again.code == 0 and again.json["equal"], again.json
    assert "gives the same bits, but its code changed" in again.json["first_difference"]["message"]
