"""A recorded run, re-run where the code is another: the stage is named, with what moved."""

from __future__ import annotations

import pytest

from tests.cli.checkout import make_checkout

pytestmark = pytest.mark.slow


def test_a_run_of_another_commit_of_a_module_is_not_equal_and_names_the_stage(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    checkout = make_checkout(tmp_path_factory.mktemp("clone") / "work")
    run = checkout.cws_process("run", "--data", "us5", "--to", "2004-12-31", "--json").json
    same = checkout.cws_process("replay", run["run_id"], "--json")
    assert (same.code, same.json["equal"], same.json["first_difference"]) == (0, True, None)

    path = checkout.root / "modules" / "size" / "rank_neutral" / "run.py"
    path.write_text(path.read_text().replace("cap=settings.weight_cap", "cap=settings.weight_cap * 0.5"))
    checkout.git("commit", "-qam", "half the cap")
    other = checkout.cws_process("replay", run["run_id"], "--json")
    found = other.json["first_difference"]
    assert (other.code, other.json["equal"]) == (1, False)
    assert (found["stage"], found["module"], found["artifact"], found["column"]) == (
        "size",
        "rank_neutral",
        "weights",
        "weight",
    )
    assert found["causes"] == ["code"]
    assert found["row"] is not None and found["symbol"] and found["recorded"] == pytest.approx(2 * found["found"])

    checkout.git("revert", "--no-edit", "-n", "HEAD")
    path.write_text(path.read_text() + "\n# a remark\n")
    remark = checkout.cws_process("replay", run["run_id"], "--json")
    assert (remark.code, remark.json["equal"], remark.json["first_difference"]["stage"]) == (0, True, "size")
    assert "same bits" in remark.json["first_difference"]["message"]
