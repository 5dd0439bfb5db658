"""`cws module new|test|draft` in a clone: what is written, refused, tested in a sandbox and proposed."""

from __future__ import annotations

import pytest

from harness.sandbox.choose import examine
from tests.cli.checkout import Checkout, make_checkout
from tests.cli.conftest import Cws

needs_sandbox = pytest.mark.skipif(not any(f.works for f in examine()), reason="no sandbox works on this machine")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("clone") / "work")


@pytest.mark.slow
@needs_sandbox
def test_a_new_module_is_written_tested_and_broken(checkout: Checkout) -> None:
    made = checkout.cws("module", "new", "feature", "mine", "--python", "--summary", "Mine, of a test.", "--json")
    assert made.code == 0, made.err
    assert all((checkout.root / path).is_file() for path in made.json["files"]) and len(made.json["files"]) == 8
    again = checkout.cws("module", "new", "feature", "mine", "--json")
    assert again.code == 2 and "is there already" in again.json["error"]["message"]
    tested = checkout.cws("module", "test", "feature", "mine", "--json")
    assert (tested.code, tested.json["ok"], len(tested.json["passed"])) == (0, True, 8)
    run = checkout.root / "modules" / "feature" / "mine" / "run.py"
    run.write_text(run.read_text().replace("out[t] = 1.0 -", "out[t] = 1.0 - 0 * close[-1].sum() * close[-1] -"))
    broken = checkout.cws("module", "test", "feature", "mine")
    assert broken.code == 0, "the bits are the same: nothing of the future is in them"
    run.write_text(run.read_text().replace("0 * close", "1e-9 * close"))
    broken = checkout.cws("module", "test", "feature", "mine")
    assert broken.code == 1 and "future" in broken.out


@pytest.mark.slow
@needs_sandbox
def test_a_draft_is_proposed_and_can_be_reviewed(checkout: Checkout) -> None:
    before = checkout.stand()
    done = checkout.cws("module", "draft", "plain_gap", "distance of the close from its mean", "--json")
    assert done.code == 0 and done.json["status"] == "proposed", done.out
    assert checkout.stand() == before
    again = checkout.cws("module", "draft", "--resume", done.json["coding_id"], "--json")
    assert again.json["commit"] == done.json["commit"]
    shown = checkout.cws("review", "show", done.json["branch"], "--json").json
    assert shown["state"] == "open" and any(c["path"].endswith("plain_gap/run.py") for c in shown["changes"])


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("new", "risk", "mine"), 2),
        (("new", "feature", "../mine"), 2),
        (("new", "size", "mine", "--python"), 2),
        (("test", "feature", "nowhere"), 2),
        (("test", "..", ".."), 2),
        (("draft",), 2),
        (("draft", "mine"), 2),
        (("draft", "--resume", "coding-1"), 2),
        (("draft", "--resume", "../../etc"), 2),
        (("draft", "mine", "a task of some length", "--llm", "gpt"), 2),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(cws: Cws, argv: tuple[str, ...], code: int) -> None:
    done = cws("module", *argv, "--json")
    assert done.code == code and done.json["error"]["remedy"], done.out
