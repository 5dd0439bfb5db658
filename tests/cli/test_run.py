"""`cws run`, `replay`, `runs`, `diff`, `report`, `signal`, `trace`, `ledger` on a bundled set, in one workspace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from modules.bundled import FACTS
from modules.contract import STAGES
from modules.datastore import DataStore
from tests.cli.conftest import Cws, Result

CHECKOUT = Path(__file__).resolve().parents[2]
SHORT = ("--data", "us5", "--from", "2004-01-01", "--to", "2006-12-31")
REVERSAL = "rank(-returns(close, 5))"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workspace for the tests of this file."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(autouse=True)
def workspace(shared: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """After `home`, so that it wins."""
    monkeypatch.setenv("CWS_HOME", str(shared))
    yield shared


def _run(cws: Cws, *argv: str) -> Result:
    done = cws("run", *SHORT, "--no-report", *argv, "--json")
    assert done.code == 0, done.err
    return done


def test_run_has_its_stable_fields(cws: Cws) -> None:
    found = _run(cws, "--signal", REVERSAL).json
    assert {"run_id", "digest", "stages", "metrics"} <= found.keys()
    assert [s["stage"] for s in found["stages"]] == list(STAGES)
    assert all({"stage", "module", "digest", "seconds"} <= s.keys() for s in found["stages"])
    assert {"gross_sharpe", "net_sharpe", "turnover", "max_drawdown"} <= found["metrics"].keys()


def test_a_second_run_touches_only_digests(cws: Cws) -> None:
    first = _run(cws, "--signal", REVERSAL).json
    second = _run(cws, "--signal", REVERSAL).json
    assert second["digest"] == first["digest"] and second["run_id"] != first["run_id"]
    assert all(s["cached"] for s in second["stages"])


def test_only_a_run_that_looked_at_something_new_is_a_trial(cws: Cws) -> None:
    count = "SELECT count(*) AS n FROM trial_recorded WHERE subject = 'rank(returns(close, 7))'"
    for _ in range(2):
        _run(cws, "--signal", "rank(returns(close, 7))")
    assert cws("trace", "query", count, "--json").json["rows"] == [{"n": 1}]


@pytest.mark.parametrize(
    "change",
    [("--signal", "rank(returns(close, 5))"), ("--to", "2006-12-01"), ("--from", "2004-02-01"), ("--data", "us20")],
    ids=lambda c: c[0],
)
def test_each_override_reaches_the_run(cws: Cws, change: tuple[str, str]) -> None:
    base = _run(cws, "--signal", REVERSAL).json
    assert _run(cws, "--signal", REVERSAL, *change).json["digest"] != base["digest"]


def test_replay_of_a_run_is_equal(cws: Cws) -> None:
    run = _run(cws, "--signal", REVERSAL).json
    found = cws("replay", run["run_id"], "--json")
    assert found.code == 0
    assert (found.json["equal"], found.json["first_difference"]) == (True, None)
    assert found.json["replay_digest"] == run["digest"]


def test_replay_names_the_stage_where_the_record_is_of_another_code(cws: Cws, workspace: Path) -> None:
    run = _run(cws, "--signal", REVERSAL).json
    path = workspace / "runs" / f"{run['run_id']}.json"
    manifest = json.loads(path.read_text())
    clean = next(s for s in manifest["stages"] if s["stage"] == "clean")
    clean["code_digest"] = "0" * 64
    path.write_text(json.dumps(manifest))
    found = cws("replay", run["run_id"], "--json")
    assert found.code == 0 and found.json["equal"] is True
    assert found.json["first_difference"]["stage"] == "clean" and found.json["first_difference"]["same_bits"]
    assert "code" in found.json["first_difference"]["causes"]


def test_diff_shows_what_was_changed(cws: Cws) -> None:
    a = _run(cws, "--signal", REVERSAL).json["run_id"]
    b = _run(cws, "--signal", "rank(returns(close, 5))").json["run_id"]
    found = cws("diff", a, b, "--json").json
    assert found["equal"] is False
    assert found["first_difference"]["stage"] == "feature"
    assert found["task"]["signal"] == {"a": REVERSAL, "b": "rank(returns(close, 5))"}
    assert found["settings"]["feature.expr"]["a"] == REVERSAL
    assert found["metrics"]["net_sharpe"]["delta"] != 0
    same = cws("diff", a, a, "--json").json
    assert same["equal"] is True and same["first_difference"] is None
    assert cws("diff", a, b).code == 0


def test_runs_lists_the_newest_first(cws: Cws) -> None:
    newest = _run(cws, "--signal", REVERSAL).json
    found = cws("runs", "--limit", "2", "--json").json["runs"]
    assert found[0]["run_id"] == newest["run_id"] and found[0]["metrics"] == newest["metrics"]
    assert newest["run_id"] in cws("runs").out


@pytest.mark.slow
def test_report_takes_factors_and_writes_a_tear_sheet(cws: Cws, tmp_path: Path) -> None:
    run = _run(cws, "--signal", REVERSAL).json["run_id"]
    days = [f"2000-{m:02d}-{d:02d},{0.001 * ((d * m) % 7 - 3)}" for m in range(1, 13) for d in range(1, 29)]
    years = [day.replace("2000", str(y)) for y in range(1989, 2017) for day in days]
    (tmp_path / "f.csv").write_text("\n".join(["date,mine", *years]))
    done = cws("report", run, "--out", str(tmp_path), "--factors", str(tmp_path / "f.csv"), "--quantstats", "--json")
    assert done.code == 0, done.err
    page = Path(done.json["html"]).read_text()
    assert "Given factors" in page and "f.csv" in page
    assert json.loads(Path(done.json["json"]).read_text())["study"]["given_factors"]["loadings"][0]["name"] == "mine"
    assert Path(done.json["quantstats"]).stat().st_size > 100_000
    (tmp_path / "bad.csv").write_text("date,mine\n2000-01-03,abc\n")
    bad = cws("report", run, "--factors", str(tmp_path / "bad.csv"), "--json")
    assert bad.code == 2 and "mine of row 1 is 'abc'" in bad.json["error"]["message"]
    assert "fractions" in bad.json["error"]["remedy"]


@pytest.mark.slow
def test_report_counts_the_trials_of_the_ledger(cws: Cws, tmp_path: Path) -> None:
    run = _run(cws, "--signal", REVERSAL).json["run_id"]
    found = cws("report", run, "--out", str(tmp_path / "r"), "--json").json
    assert Path(found["html"]).exists() and all(Path(p).exists() for p in found["pngs"]) and len(found["pngs"]) == 18
    assert found["quantstats"] is None
    trials = cws("trace", "query", "SELECT count(*) AS n FROM trial_recorded", "--json").json["rows"][0]["n"]
    assert json.loads(Path(found["json"]).read_text())["trials"] == trials > 0


def test_words_go_to_stderr_and_figures_to_stdout(cws: Cws) -> None:
    done = cws("run", *SHORT, "--signal", REVERSAL, "--no-report")
    assert "net_sharpe" in done.out and REVERSAL in done.out
    assert "cws replay" in done.err and "cws replay" not in done.out
    assert "\x1b[" not in done.out + done.err


BAD_RUNS = [
    (("--data", "us2O"), 2, "us20"),
    (("--signal", ""), 2, "empty"),
    (("--signal", "rnk(close)"), 2, "did you mean rank"),
    (("--signal", "ts_mean(close, 4000)"), 2, "4000"),
    (("--signal", "delay(close, -1)"), 2, "look-ahead"),
    (("--from", "2006-01-01", "--to", "2005-01-01"), 2, "empty"),
    (("--from", "yesterday"), 2, "ISO date"),
    (("--to", "2013-01-01"), 3, "lockbox"),
    (("--seed", "-1"), 2, "seed"),
    (("no-such-pipeline.yaml",), 2, "no-such-pipeline.yaml"),
    (("--no-such-option",), 2, "--no-such-option"),
]


@pytest.mark.parametrize(("argv", "code", "words"), BAD_RUNS, ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_bad_requests_say_what_and_how(cws: Cws, argv: tuple[str, ...], code: int, words: str, workspace: Path) -> None:
    before = sorted(p.name for p in (workspace / "runs").glob("*"))
    done = cws("run", *SHORT, "--no-report", *argv, "--json")
    assert done.code == code, done.err
    assert words in done.json["error"]["message"] + done.json["error"]["remedy"]
    assert done.err.startswith("cws: ")
    assert sorted(p.name for p in (workspace / "runs").glob("*")) == before


@pytest.mark.parametrize("command", ["replay", "report"])
def test_a_run_that_is_not_there(cws: Cws, command: str) -> None:
    done = cws(command, "nope", "--json")
    assert done.code == 2 and "cws runs" in done.json["error"]["message"]


def test_signal_eval_writes_the_long_table(cws: Cws, tmp_path: Path) -> None:
    out = tmp_path / "values.parquet"
    done = cws("signal", "eval", REVERSAL, "--data", "us5", "--out", str(out), "--json")
    assert done.code == 0, done.err
    table = pl.read_parquet(out)
    assert table.columns == ["event_time", "symbol", "value"]
    assert table.schema["event_time"] == pl.Datetime("ns", "UTC")
    assert table.height == done.json["rows"]
    # The fifth, FB, was listed in 2012: its whole history lies in the lockbox.
    assert table.get_column("symbol").n_unique() == 4
    assert table.get_column("value").drop_nulls().is_between(0, 1).all()
    assert table.get_column("value").is_nan().sum() == 0


def test_signal_eval_stops_before_the_lockbox(cws: Cws, tmp_path: Path, workspace: Path) -> None:
    out = tmp_path / "values.parquet"
    cws("signal", "eval", "close", "--data", "us5", "--out", str(out))
    sealed = DataStore(workspace / "data").current("us5").lockbox_start_ns
    assert pl.read_parquet(out).get_column("event_time").dt.epoch("ns").max() < sealed


@pytest.mark.parametrize("name", ["values.csv", "no/such/folder/values.parquet"])
def test_signal_eval_refuses_a_bad_target(cws: Cws, tmp_path: Path, name: str) -> None:
    assert cws("signal", "eval", "close", "--data", "us5", "--out", str(tmp_path / name)).code == 2
    assert list(tmp_path.iterdir()) == []


def test_signals_see_the_sectors_of_the_instruments(cws: Cws, tmp_path: Path) -> None:
    """`eval` and `run` see the same sectors: those that come with the set."""
    expr = "neutralize(returns(close, 5), sector)"
    tables = {}
    for name, text in (("raw", "returns(close, 5)"), ("net", expr)):
        out = tmp_path / f"{name}.parquet"
        assert cws("signal", "eval", text, "--data", "us20", "--out", str(out)).code == 0
        tables[name] = pl.read_parquet(out).rename({"value": name})
    sector = {fact.symbol: fact.sector for fact in FACTS["us20"]}
    both = tables["raw"].join(tables["net"], on=["event_time", "symbol"]).drop_nulls("raw")
    both = both.with_columns(pl.col("symbol").replace_strict(sector).alias("sector"))
    expected = pl.col("raw") - pl.col("raw").mean().over("event_time", "sector")
    worst = both.select((expected - pl.col("net")).abs().max()).item()
    assert both.get_column("sector").n_unique() == 7 and worst < 1e-12
    found = _run(cws, "--signal", expr, "--data", "us20").json["metrics"]
    assert found["reads_level"] == 0.0 and found["coverage"] > 0.99


def test_signal_check_proves(cws: Cws) -> None:
    found = cws("signal", "check", "ts_mean(returns(close, 2), 20)", "--data", "us5", "--json")
    assert found.code == 0
    assert {k: found.json[k] for k in ("batch_equals_stream", "truncation_equal", "first_difference")} == {
        "batch_equals_stream": True,
        "truncation_equal": True,
        "first_difference": None,
    }


def test_signal_ops_and_explain(cws: Cws) -> None:
    names = {o["name"] for o in cws("signal", "ops", "--json").json["operators"]}
    assert {"rank", "returns", "ts_mean"} <= names and len(names) >= 30
    found = cws("signal", "explain", REVERSAL, "--json").json
    assert (found["fields"], found["warmup_bars"]) == (["close"], 5)
    assert found["unit"] == "a plain number"
    assert "minus the 5-bar return of the close" in found["words"]
    assert "returns(close, 5)" in cws("signal", "explain", REVERSAL).out


def test_a_plan_shows_each_step_once_and_its_costs(cws: Cws) -> None:
    expr = "rank(ts_mean(returns(close, 1), 20)) - rank(ts_mean(returns(close, 1), 20)) * ts_std(returns(close, 1), 20)"
    found = cws("signal", "explain", expr, "--plan", "--json").json
    assert (found["rows"], found["symbols"], found["warmup_bars"]) == (2_500, 500, 20)
    assert (found["operators_written"], found["operators_computed"]) == (10, 6)
    assert sum(s["share"] for s in found["steps"]) == pytest.approx(1.0)
    assert found["cold_ms"] > found["warm_ms"] > 0 and found["peak_bytes"] > 8 * 2_500 * 500
    smaller = cws("signal", "explain", expr, "--plan", "--rows", "250", "--symbols", "20", "--json").json
    assert smaller["warm_ms"] < found["warm_ms"]
    shown = cws("signal", "explain", expr, "--plan").out
    assert "10 written, 6 computed" in shown and "lags.returns" in shown and "for orientation" in shown


def test_a_plan_for_a_data_set(cws: Cws) -> None:
    found = cws("signal", "explain", "close - open", "--plan", "--data", "us5", "--json").json
    assert found["symbols"] == 4 and found["rows"] > 2_000


PLANS_REFUSED = [
    (("close", "--rows", "5"), "add --plan"),
    (("close", "--plan", "--data", "us5", "--rows", "5"), "leave out --rows and --symbols"),
    (("close", "--plan", "--rows", "0"), "--rows"),
    (("close + volume", "--plan"), "column 9"),
    (("volume", "--plan", "--data", "us20"), "unknown field volume"),
]


@pytest.mark.parametrize(("argv", "says"), PLANS_REFUSED, ids=[" ".join(r[0]) for r in PLANS_REFUSED])
def test_a_plan_is_refused(cws: Cws, argv: tuple[str, ...], says: str) -> None:
    done = cws("signal", "explain", *argv)
    assert done.code == 2 and says in done.err


def test_an_expression_may_begin_with_a_minus(cws: Cws) -> None:
    found = cws("signal", "similar", "-returns(close, 20)", "-rank(returns(close, 20))", "--json").json
    assert found["behavioural"] == pytest.approx(1.0) and 0.0 < found["structural"] < 1.0
    assert cws("signal", "explain", "--bogus", "close").code == 2


@pytest.mark.slow
def test_what_is_known_and_near(cws: Cws) -> None:
    old = cws("signal", "similar", "rank(-returns(close, 6))", "--json").json
    assert old["new"] is False and old["originality"] < old["limit"] == 0.7
    assert old["near"][0]["originality"] == old["originality"]
    assert "returns(close, 5)" in {n["expr"] for n in old["near"]}
    new = cws("signal", "similar", "ts_autocorr(volume, 60, 1)", "--json").json
    assert new["new"] is True and new["near"]


def test_trace_query_and_its_limit(cws: Cws) -> None:
    for _ in range(2):
        _run(cws, "--signal", REVERSAL)
    found = cws("trace", "query", "SELECT run_id, metrics FROM run_finished", "--limit", "1", "--json").json
    assert len(found["rows"]) == 1 < found["count"] and found["columns"] == ["run_id", "metrics"]
    assert cws("trace", "query", "SELECT * FROM nothing").code == 2


def test_ledger_verifies_and_names_the_record_that_was_changed(cws: Cws, workspace: Path) -> None:
    _run(cws, "--signal", REVERSAL)
    good = cws("ledger", "verify", "--json")
    assert good.code == 0 and good.json["ok"] is True and good.json["first_bad"] is None
    path = workspace / "ledger" / "events.jsonl"
    whole = path.read_bytes()
    lines = whole.split(b"\n")
    lines[3] = lines[3].replace(b"stage", b"stagf", 1)
    path.write_bytes(b"\n".join(lines))
    bad = cws("ledger", "verify", "--json")
    path.write_bytes(whole)
    assert (bad.code, bad.json["ok"], bad.json["first_bad"]) == (1, False, 3)
    assert bad.json["events"] == 3


@pytest.mark.slow
def test_one_digest_whatever_the_process(cws: Cws, tmp_path: Path) -> None:
    here = _run(cws, "--signal", REVERSAL).json["digest"]
    env = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "CWS_HOME": str(tmp_path / "other"),
        "PYTHONHASHSEED": "4711",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "OMP_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "POLARS_MAX_THREADS": "1",
    }
    argv = ["run", *SHORT, "--signal", REVERSAL, "--no-report", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *argv], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["digest"] == here


@pytest.mark.slow
def test_a_run_goes_to_mlflow_once(cws: Cws) -> None:
    run_id = cws("run", *SHORT, "--json").json["run_id"]
    first = cws("trace", "export", run_id[:-2], "--json").json
    again = cws("trace", "export", run_id, "--json").json
    assert first == again and first["run_id"] == run_id and first["files"] > 0
    from mlflow import MlflowClient

    found = MlflowClient(tracking_uri=first["tracking_uri"]).get_run(first["mlflow_run_id"])
    assert "execute.net_sharpe" in found.data.metrics
    assert found.data.params["size.no_trade_band"] == "0.0"
