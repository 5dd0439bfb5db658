"""`cws module new|test|draft` in a clone: what is written, refused, tested in a sandbox and proposed."""

from __future__ import annotations

import pytest

from harness.sandbox.choose import examine
from tests.cli.checkout import Checkout, make_checkout
from tests.cli.conftest import Cws


@pytest.fixture(scope="module")
def sandbox() -> str:
    """The name of one that works here; without any the test is skipped, which is seen."""
    works = [f.name for f in examine() if f.works]
    return works[0] if works else pytest.skip("no sandbox works on this machine")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("clone") / "work")


@pytest.mark.slow
def test_a_new_module_is_written_tested_and_broken(checkout: Checkout, sandbox: str) -> None:
    made = checkout.cws("module", "new", "feature", "mine", "--python", "--summary", "Mine, of a test.", "--json")
    assert made.code == 0, made.err
    assert all((checkout.root / path).is_file() for path in made.json["files"]) and len(made.json["files"]) == 8
    again = checkout.cws("module", "new", "feature", "mine", "--json")
    assert again.code == 2 and "is there already" in again.json["error"]["message"]
    tested = checkout.cws("module", "test", "feature", "mine", "--json")
    assert (tested.code, tested.json["ok"], len(tested.json["passed"])) == (0, True, 8)
    assert tested.json["sandbox"] == sandbox
    run = checkout.root / "modules" / "feature" / "mine" / "run.py"
    run.write_text(run.read_text().replace("out[t] = 1.0 -", "out[t] = 1e-9 * np.nansum(close[-1]) -"))
    broken = checkout.cws("module", "test", "feature", "mine")
    assert broken.code == 1 and "future" in broken.out


@pytest.mark.slow
def test_a_draft_is_proposed_and_can_be_reviewed(checkout: Checkout, sandbox: str) -> None:
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
