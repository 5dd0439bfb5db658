"""`cws ablate`: a person's patch before the gate, in a clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ablations.test_drafted import SMOOTH
from tests.cli.checkout import Checkout, make_checkout
from tests.cli.conftest import Cws


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("size/rank_neutral", "no_trade_band"), 2, "is no SETTING=VALUE"),
        (("size/rank_neutral", "no_trade_band=[1]"), 2, "is not a single value"),
        (("size/rank_neutral", "no_trade_band=0.1", "no_trade_band=0.2"), 2, "given twice"),
        (("size/rank_neutral", "band=0.1"), 3, "has no setting band"),
        (("size/rank_neutral", "no_trade_band=0.5"), 3, "less than or equal to 0.05"),
        (("execute/next_bar", "commission_bps=0.0"), 3, "assumption about the world"),
        (("size/kelly", "x=1"), 2, "does not exist"),
        (("size/rank_neutral", "no_trade_band=0.02", "--suite", "../../x"), 2, "suite"),
        (("size/rank_neutral", "--text", __file__), 2, "a skill has a text and no settings"),
        (("skills/short-term-reversal", "days=3"), 2, "a skill has a text and no settings"),
        (("skills/short-term-reversal", "days=3", "--text", __file__), 2, "a skill has a text and no settings"),
        (("skills/no-such", "--text", __file__), 2, "there is no such skill"),
        (("skills/../README.md", "--text", __file__), 2, "there is no such skill"),
        (("skills/acceleration", "--text", __file__), 2, "has no recorded sentences"),
    ],
)
def test_what_is_no_patch_is_refused_before_anything_runs(
    cws: Cws, argv: tuple[str, ...], code: int, words: str
) -> None:
    done = cws("ablate", *argv, "--json")
    assert done.code == code, done.err
    assert words in done.json["error"]["message"]
    assert cws("trace", "query", "select count(*) as n from trial_recorded", "--json").json["rows"] == [{"n": 0}]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("clone") / "work")


def test_uncommitted_settings_are_refused_before_a_trial_is_spent(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What would be judged is the working tree, what would be branched from is HEAD."""
    dirty = make_checkout(tmp_path_factory.mktemp("dirty") / "work")
    path = dirty.root / "modules" / "size" / "rank_neutral" / "settings.yaml"
    path.write_text(path.read_text().replace("smoothing_bars: 1", "smoothing_bars: 2"))
    done = dirty.cws("ablate", "size/rank_neutral", "no_trade_band=0.02", "--suite", "fast", "--json")
    assert done.code == 1 and "modules/size/rank_neutral/settings.yaml" in done.json["error"]["message"]
    events = dirty.cws("trace", "query", "select count(*) as n from ablation_started", "--json").json
    assert events["rows"] == [{"n": 0}]


@pytest.mark.slow
def test_the_issue_s_own_examples(checkout: Checkout) -> None:
    """A band helps fast reversal and ships; what averaging saves on slow signals does not; both are trials."""
    stood = checkout.stand()
    band = checkout.cws("ablate", "size/rank_neutral", "no_trade_band=0.02", "--suite", "fast", "--json")
    assert (band.code, band.json["verdict"]) == (0, "SHIP"), band.out
    assert band.json["delta"] > band.json["noise_floor"] > 0.0
    assert band.json["branch"] == f"supervisor/{band.json['ablation_id']}"
    assert "    a person\n" in checkout.git("log", "-1", "--format=%B", band.json["branch"])
    slow = checkout.cws("ablate", "size/rank_neutral", "smoothing_bars=5", "--suite", "slow", "--json")
    assert (slow.code, slow.json["verdict"], slow.json["branch"]) == (3, "REJECT", None)
    same = checkout.cws("ablate", "size/rank_neutral", "smoothing_bars=1", "--suite", "fast", "--json")
    assert same.code != 0 and same.json.get("verdict") != "SHIP"
    trials = checkout.cws(
        "trace", "query", "select count(*) as n from trial_recorded where family = 'ablation'", "--json"
    )
    assert trials.json["rows"][0]["n"] >= 2
    assert checkout.stand() == stood


@pytest.mark.slow
def test_a_skill_goes_all_the_way(checkout: Checkout, tmp_path: Path) -> None:
    """A text is judged on research made anew, shipped by a certificate that was made and not invented, proved again
    by who has the branch alone, merged under a name, and what is drafted afterwards is drafted by it."""
    new = tmp_path / "SKILL.md"
    new.write_text(SMOOTH)
    sentence = ("Stocks that fell the most over the last week rebound.", "--data", "us20", "--yes", "--json")
    done = checkout.cws("ablate", "skills/short-term-reversal", "--text", str(new), "--json")
    assert (done.code, done.json["verdict"]) == (0, "SHIP"), done.out + done.err
    branch = done.json["branch"]
    changed = checkout.git("diff", "--name-only", f"main...{branch}").split()
    assert {c for c in changed if not c.startswith("ablations/records/")} == {"skills/short-term-reversal/SKILL.md"}
    written = checkout.git("show", f"{branch}:skills/short-term-reversal/SKILL.md")
    new_lines = {line.strip() for line in set(written.splitlines()) - set(SMOOTH.splitlines())}
    assert new_lines == {'version: "2"', f"provenance: ablation {done.json['ablation_id']}"}
    shown = checkout.cws("review", "show", branch)
    assert shown.code == 0 and "drafts_accepted" in shown.out and "ts_mean(returns(close" in shown.out
    proof = checkout.cws("verify", branch, "--json")
    assert proof.code == 0, proof.out + proof.err
    assert checkout.cws("review", "approve", branch, "--by", "Ada Lovelace <ada@example.org>", "--json").code == 0
    assert (checkout.root / "skills/short-term-reversal/SKILL.md").read_text().strip() == written
    research = checkout.cws_process("research", *sentence)
    assert "ts_mean(returns(close" in research.out, research.out + research.err
