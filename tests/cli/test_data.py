"""`cws data`: add and list; what cannot be taken is refused whole, with the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cws
from tests.modules.facts.files import company, write_facts

LONG = """date,ticker,open,high,low,close,volume
2001-01-02,AAA,10,11,9,10.5,1000
2001-01-02,BBB,20,21,19,20.5,1000
2001-01-03,AAA,10,11,9,10.6,1100
2001-01-03,BBB,20,21,19,20.6,1100
2001-01-04,AAA,10,11,9,10.7,1200
2001-01-04,BBB,20,21,19,20.7,1200
2001-01-05,AAA,10,11,9,10.8,1300
2001-01-05,BBB,20,21,19,20.8,1300
2001-01-08,AAA,10,11,9,10.9,1300
2001-01-08,BBB,20,21,19,20.9,1300
"""
FIELDS = ("name", "version", "digest", "rows", "symbols", "start", "end", "refused")


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """A long file of two symbols over five days."""
    path = tmp_path / "bars.csv"
    path.write_text(LONG)
    return path


def test_add_shows_its_guess_and_registers(cws: Cws, bars: Path) -> None:
    done = cws("data", "add", "mine", str(bars), "--json")
    assert done.code == 0, done.err
    found = done.json
    assert [f for f in FIELDS if f not in found] == []
    assert (found["name"], found["version"], found["rows"], found["symbols"]) == ("mine", "v1", 10, 2)
    assert (found["start"], found["end"], found["refused"]) == ("2001-01-02", "2001-01-08", {})
    assert found["guess"]["close_column"] == "close" and found["guess"]["symbol_column"] == "ticker"


def test_the_same_file_is_the_same_version_and_one_event(cws: Cws, bars: Path) -> None:
    first = cws("data", "add", "mine", str(bars), "--json").json
    second = cws("data", "add", "mine", str(bars), "--json").json
    assert (first["new"], second["new"]) == (True, False) and first["digest"] == second["digest"]
    events = "SELECT name, version FROM data_registered"
    assert cws("trace", "query", events, "--json").json["rows"] == [{"name": "mine", "version": "v1"}]


def test_a_changed_file_is_a_new_version(cws: Cws, bars: Path) -> None:
    cws("data", "add", "mine", str(bars))
    bars.write_text(LONG.replace("10.5", "10.4"))
    assert cws("data", "add", "mine", str(bars), "--json").json["version"] == "v2"
    listed = {(v["name"], v["version"]): v["current"] for v in cws("data", "list", "--json").json["data"]}
    assert (listed["mine", "v1"], listed["mine", "v2"]) == (False, True)


def test_options_overrule_the_guess(cws: Cws, bars: Path) -> None:
    found = cws("data", "add", "mine", str(bars), "--close-column", "open", "--currency", "EUR", "--json").json
    assert found["guess"]["close_column"] == "open" and found["guess"]["currency"] == "EUR"


def test_actions_stand_beside_the_bars(cws: Cws, bars: Path, tmp_path: Path) -> None:
    actions = tmp_path / "actions.csv"
    actions.write_text(
        "symbol,date,kind,value\nAAA,2001-01-03,split,2:1\nAAA,2001-01-06,dividend,1\nCCC,2001-01-03,split,2\n"
    )
    found = cws("data", "add", "mine", str(bars), "--actions", str(actions), "--json").json
    assert (found["rows"], found["refused"]) == (10, {"unknown_symbol": 1})
    assert found["first_refused"]["unknown_symbol"][0].startswith("actions.csv row 3 (CCC 2001-01-03)")
    missing = cws("data", "add", "mine", str(bars), "--actions", str(tmp_path / "none.csv"))
    assert missing.code == 2 and "does not exist" in missing.err


def test_people_see_the_guess_and_the_refusals(cws: Cws, bars: Path) -> None:
    bars.write_text(LONG.replace("10.6", "-10.6"))
    done = cws("data", "add", "mine", str(bars))
    assert done.code == 0, done.err
    assert "close_column" in done.out and "non_positive_price" in done.out
    assert "cws run --data mine" in done.err


def test_list_has_the_bundled_sets(cws: Cws) -> None:
    found = {v["name"]: v for v in cws("data", "list", "--json").json["data"]}
    assert set(found) == {"us20", "us5"}
    assert (found["us20"]["symbols"], found["us20"]["start"]) == (20, "1990-01-02")
    assert all(f in found["us5"] for f in FIELDS)


BAD_FILES = [
    ("empty", "", "is empty"),
    ("header only", "date,close\n", "no rows"),
    ("text for prices", "date,symbol,close\n2001-01-02,A,abc\n2001-01-03,A,x\n", "non_numeric"),
    ("no time", "symbol,close\nA,1\nB,2\n", "time"),
    ("no symbols", "date\n2001-01-02\n2001-01-03\n", "one column"),
    ("nan prices", "date,symbol,close\n2001-01-02,A,NaN\n2001-01-03,A,NaN\n", "no usable rows"),
]


@pytest.mark.parametrize(("text", "words"), [b[1:] for b in BAD_FILES], ids=[b[0] for b in BAD_FILES])
def test_a_bad_file_is_refused_whole(cws: Cws, tmp_path: Path, home: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    done = cws("data", "add", "bad", str(path), "--json")
    assert done.code == 1
    assert words in done.json["error"]["message"] and done.json["error"]["remedy"]
    assert not list((home / "data").glob("bad/v*"))


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("us20", "{bars}"), 1, "bundled"),
        (("a/b", "{bars}"), 1, "not a name"),
        (("x", "{bars}", "--close-column", "nope"), 1, "nope"),
        (("x", "{bars}", "--max-refused-share", "2"), 2, "max-refused-share"),
        (("x", "missing.csv"), 2, "missing.csv"),
        (("x",), 2, "PATH"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_bad_requests(cws: Cws, bars: Path, argv: tuple[str, ...], code: int, words: str) -> None:
    done = cws("data", "add", *(a.format(bars=bars) for a in argv), "--json")
    assert done.code == code
    assert words in done.json["error"]["message"]


def test_facts_are_added_shown_and_listed(cws: Cws, bars: Path, tmp_path: Path) -> None:
    rows = company("AAA", (2000, 2001))
    path = write_facts(tmp_path / "facts.csv", [*rows, (*rows[0][:6], "a lot", *rows[0][7:])])
    found = cws("data", "add", "figures", str(path), "--kind", "facts", "--json").json
    assert (found["kind"], found["rows"], found["symbols"], found["new"]) == ("facts", len(rows), 1, True)
    assert found["refused"] == {"non_numeric": 1} and found["concepts"]["revenue"] == 8
    shown = cws("data", "add", "figures", str(path), "--kind", "facts")
    assert "was registered before, unchanged" in shown.out and "non_numeric" in shown.out
    assert "cws run --facts figures" in shown.err
    cws("data", "add", "mine", str(bars))
    listed = {v["name"]: v["kind"] for v in cws("data", "list", "--json").json["data"]}
    assert listed == {"figures": "facts", "mine": "bars", "us20": "bars", "us5": "bars"}


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("bars.csv", "--kind", "facts"), 1, "bars.csv is no file of facts"),
        (("bars.csv", "--symbols", "bars.csv"), 2, "--symbols goes with --kind facts"),
        (
            ("bars.csv", "--kind", "facts", "--close-column", "close"),
            2,
            "an option of bars was given with --kind facts",
        ),
        (("bars.csv", "--kind", "facts", "--symbols", "nowhere.csv"), 2, "nowhere.csv does not exist"),
    ],
)
def test_facts_that_cannot_be_taken(cws: Cws, bars: Path, argv: tuple[str, ...], code: int, says: str) -> None:
    done = cws("data", "add", "figures", *(str(bars.parent / a) if a.endswith(".csv") else a for a in argv))
    assert done.code == code and says in done.err


def test_sets_of_the_wrong_kind_are_refused(cws: Cws, bars: Path, tmp_path: Path) -> None:
    path = write_facts(tmp_path / "facts.csv", company("AAA", (2000, 2001)))
    cws("data", "add", "figures", str(path), "--kind", "facts")
    done = cws("data", "add", "figures", str(bars))
    assert done.code == 1 and "figures is a set of facts" in done.err
    assert "figures is a set of facts" in cws("run", "--data", "figures").err
    assert "us5 is a set of bars" in cws("run", "--facts", "us5").err
