"""`cws ablate`: a person's patch before the gate, in a clone."""

from __future__ import annotations

import pytest

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
