"""Requests that cannot be: each names field, value, rule and remedy in our words, with the exit code of a wrong
request, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cws

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = "date,symbol,close\n" + "".join(f"2020-01-{d:02d},{s},{d + 1}\n" for d in range(1, 29) for s in ("A", "B"))


@pytest.mark.parametrize(
    ("argv", "said", "remedy"),
    [
        (("run", "--signal", "foo(close)"), "unknown operator foo", "cws signal ops"),
        (("run", "--signal", "returns(close, 100000)"), "must be from 1 to 5000", "cws signal ops"),
        (("run", "--signal", "delay(close, -1)"), "look-ahead", "cws signal ops"),
        (("run", "--signal", "close+" * 20_000 + "close"), "at most 4000 are read", "split it"),
        (("run", "--seed", str(2**63)), "less than or equal", "cws run --help"),
        (("run", "--data", "nope"), "'nope' is not registered", "cws data add"),
        (("run", "--data", "../x"), "is not a name for a data set", "letters"),
        (("research", "losers rebound", "--data", "nope"), "'nope' is not registered", "cws data add"),
        (("supervise", "--suite", "nope"), "suite 'nope' does not exist", "--suite"),
        (("certify", "--suite", "nope"), "suite 'nope' does not exist", "--suite"),
        (("review", "show", "nope"), "no request 'nope'", "cws review list"),
        (("data", "add", "x", "absent.csv"), "absent.csv does not exist", "check the path"),
    ],
    ids=lambda v: " ".join(v)[:40] if isinstance(v, tuple) else None,
)
def test_a_wrong_request(cws: Cws, argv: tuple[str, ...], said: str, remedy: str) -> None:
    done = cws(*argv, "--json")
    assert done.code == 2, done.err
    error = done.json["error"]
    assert said in error["message"] and remedy in f"{error['message']} {error['remedy']}"
    assert "pydantic" not in done.err and "validation error" not in done.err and "Traceback" not in done.err


def test_a_value_that_a_model_refuses_is_named_with_its_field(cws: Cws, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yaml"
    text = (CHECKOUT / "pipeline.yaml").read_text().replace("symbols: null", "symbols: []")
    pipeline.write_text(text)
    done = cws("run", str(pipeline), "--json")
    assert done.code == 2
    assert "zero symbols" in done.json["error"]["message"]


def test_a_module_that_is_not_there_is_a_wrong_request(cws: Cws, tmp_path: Path) -> None:
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text((CHECKOUT / "pipeline.yaml").read_text().replace("size: rank_neutral", "size: nope"))
    done = cws("run", str(pipeline), "--json")
    assert done.code == 2 and "rank_neutral" in done.json["error"]["message"]


def test_a_folder_is_wanted_before_minutes_of_certifying(cws: Cws, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = cws("certify", "--out", str(tmp_path / "file"), "--json")
    assert done.code == 2 and "is a file" in done.json["error"]["message"]
    assert (tmp_path / "file").read_text() == "x"


def test_a_home_that_is_a_file(cws: Cws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("mine")
    monkeypatch.setenv("CWS_HOME", str(tmp_path / "home"))
    done = cws("run", "--json")
    assert done.code == 1
    assert "home of the runtime state" in done.json["error"]["message"]
    assert "CWS_HOME" in done.json["error"]["remedy"]
    assert (tmp_path / "home").read_text() == "mine"


def test_one_content_under_two_names_is_recorded_twice(cws: Cws, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(ROWS)
    one, two = (cws("data", "add", name, str(file), "--json").json for name in ("one", "two"))
    assert one["new"] and two["new"] and one["digest"] == two["digest"]
    assert not cws("data", "add", "two", str(file), "--json").json["new"]
    said = cws("trace", "query", "SELECT name FROM data_registered ORDER BY seq", "--json").json
    assert [row["name"] for row in said["rows"]] == ["one", "two"]


def test_skills_lint(cws: Cws) -> None:
    done = cws("skills", "lint", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["ok"] and found["skills"] > found["drafting"] >= 15


WRONG_SIGNALS = [
    ("price + volume", "one unit", 9),
    ("close + volume", "one unit", 9),
    ("delay(close, -1)", "look-ahead", 14),
    ("ts_mean(close, 0)", "write 1 or more", 16),
]
DOORS: list[tuple[str, ...]] = [
    ("signal", "eval", "EXPR", "--out", "x.parquet"),
    ("signal", "check", "EXPR"),
    ("signal", "explain", "EXPR"),
    ("signal", "explain", "EXPR", "--plan"),
    ("signal", "sheet", "EXPR"),
    ("signal", "similar", "EXPR", "close"),
    ("signal", "similar", "close", "EXPR"),
    ("run", "--signal", "EXPR"),
    ("run", "PIPELINE"),
]


@pytest.mark.parametrize("door", DOORS, ids=" ".join)
@pytest.mark.parametrize(("expr", "said", "column"), WRONG_SIGNALS, ids=[w[0] for w in WRONG_SIGNALS])
def test_a_wrong_signal_is_refused_with_its_place(
    cws: Cws, tmp_path: Path, door: tuple[str, ...], expr: str, said: str, column: int
) -> None:
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text((CHECKOUT / "pipeline.yaml").read_text().replace("signal: null", f"signal: {json.dumps(expr)}"))
    done = cws(*({"EXPR": expr, "PIPELINE": str(pipeline)}.get(a, a) for a in door))
    assert done.code == 2, done.err
    lines = done.err.splitlines()
    caret = next(line for line in lines if f"^ column {column}" in line)
    assert said in done.err and expr in lines[lines.index(caret) - 1]
    assert lines[lines.index(caret) - 1].index(expr) + column - 1 == caret.index("^")


@pytest.mark.parametrize("command", ["eval", "check"])
def test_a_comparison_across_one_symbol_is_refused_with_its_place(cws: Cws, tmp_path: Path, command: str) -> None:
    file = tmp_path / "one.csv"
    file.write_text("date,symbol,close\n" + "".join(f"2020-01-{d:02d},A,{d + 1}\n" for d in range(1, 29)))
    assert cws("data", "add", "one", str(file)).code == 0
    extra = ("--out", str(tmp_path / "x.parquet")) if command == "eval" else ()
    done = cws("signal", command, "1 + rank(close)", "--data", "one", *extra)
    assert done.code == 2 and not (tmp_path / "x.parquet").exists()
    assert "rank compares symbols" in done.err and "^ column 5" in done.err
