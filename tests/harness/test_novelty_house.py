"""What the house has drafted and merged is known, whatever else lies on its branches; each origin has its own rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check import check
from harness.drafters.port import Candidate
from harness.novelty.house import MOST_BYTES, expr_of, of_house
from harness.novelty.known import Origin, known
from tests.harness.planted import git, reversal_panel

SETTINGS = [
    ("a signal", b"expr: rank(-returns(close, 5))\n", "rank(-returns(close, 5))"),
    ("no mapping", b"- 1\n", None),
    ("a number", b"expr: 5\n", None),
    ("no yaml", b"expr: [1\n", None),
    ("not text", b"expr: \xff\xfe\x00\n", None),
    ("a nul", b"expr: a\x00b\n", None),
    ("an object", b"!!python/object/apply:os.system ['true']\n", None),
    ("deep", b"[" * 20_000, None),
    ("no date", b"expr: 2001-13-45\n", None),
    ("large", b"expr: rank(close)\n#" + b"x" * MOST_BYTES, None),
    ("empty", b"", None),
]


@pytest.mark.parametrize(("text", "expr"), [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_settings_are_read_or_left(text: bytes, expr: str | None) -> None:
    assert expr_of(text) == expr


def test_branches_and_modules_are_known_and_broken_ones_are_not(tmp_path: Path) -> None:
    def settings(name: str, text: str) -> None:
        folder = tmp_path / "modules" / "feature" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "contract.py").write_text("")
        (folder / "settings.yaml").write_text(text)

    def commit(words: str) -> None:
        git(tmp_path, "add", "-A")
        git(tmp_path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", words)

    git(tmp_path, "init", "-q", "-b", "main")
    settings("week", "expr: rank(-returns(close, 5))\n")
    settings("expression", "expr: rank(close)\n")
    settings("family", "members: [a]\n")
    commit("start")
    drafts = {"month_x1": "expr: rank(-returns(close, 21))\n", "broken_x2": "expr: [1\n", "odd_x3": "expr: rm(\n"}
    for name, text in drafts.items():
        git(tmp_path, "checkout", "-q", "-b", f"research/{name.replace('_', '-')}", "main")
        settings(name, text)
        commit(name)
    git(tmp_path, "checkout", "-q", "main")
    found = of_house(tmp_path, "nothing")
    assert [(k.where, k.origin) for k in found] == [("feature/week", "module"), ("research/month-x1", "branch")]
    assert [k.where for k in of_house(tmp_path, "month_x1")] == ["feature/week"]
    assert of_house(tmp_path / "modules" / "feature" / "week", "x") == []


PANEL = reversal_panel()
NEAR, SAME = "rank(-returns(close, 6))", "rank(-returns(close, 5))"
RULES: list[tuple[str, Origin, str, bool, bool]] = [
    # a draft of the last five days beside ... passes, may be tested as a replication
    ("the idea of a module", "module", NEAR, False, False),
    ("the mirror of a module", "module", "rank(returns(close, 5))", False, False),
    ("the signal of a branch", "branch", SAME, False, False),
    ("the idea of a branch", "branch", NEAR, False, True),
    ("a feature", "library", SAME, False, True),
    ("a publication", "literature", NEAR, False, True),
    ("another idea", "module", "rank(ts_std(returns(close, 1), 60))", True, False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("origin", "expr", "passed", "replicates"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_each_origin_has_its_rule(origin: Origin, expr: str, passed: bool, replicates: bool) -> None:
    other = known("the other", expr, origin)
    assert other is not None
    verdict = check(Candidate(expr=SAME, skill="s", recipe="r", why=(), digest=""), PANEL, [other], seed=0)
    assert (verdict.passed, verdict.replicates) == (passed, replicates), verdict.reason
    assert "the other" in verdict.reason and "originality" in verdict.reason
