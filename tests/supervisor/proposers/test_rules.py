"""From finding to candidates, and from the ledger to what need not be asked again.

Invariants:
1. Every candidate changes one setting, lies within the module's declared bounds and differs from what is in force.
2. A verdict settles its patch on its base and suite; refusals that say nothing of the patch settle nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.gate import Reason
from ablations.patch import Change, Patch, patched_settings
from modules.registry import read_settings
from supervisor.finding import Finding, Lever
from supervisor.history import UNSETTLED, History
from supervisor.proposers.port import Desk, Proposal
from supervisor.proposers.rules import Rules, by_module, candidates
from supervisor.proposers.sift import sift
from tests.supervisor.conftest import CLEAN, SIZE
from tests.supervisor.proposers.desks import SUITE, finding, judged
from traces.events import Event, ReviewOpened, ReviewRejected
from traces.ledger import Ledger

BAND = Lever("no_trade_band", "raise")


def band(new: float, old: float = 0.0) -> Patch:
    return Patch(module=SIZE, changes={"no_trade_band": Change(old=old, new=new)})


def test_candidates_are_small_bounded_and_new() -> None:
    found = candidates(SIZE, [BAND, Lever("smoothing_bars", "raise"), Lever("weight_cap", "lower")])
    in_force = read_settings("size", "rank_neutral")
    assert len(found) >= 8
    assert len({p.digest for p in found}) == len(found)
    for patch in found:
        [(setting, change)] = patch.changes.items()
        assert change.old == getattr(in_force, setting) != change.new
        assert getattr(patched_settings(patch, in_force), setting) == change.new


@pytest.mark.parametrize(
    "module, lever",
    [
        (SIZE, Lever("no_such_setting", "raise")),
        (SIZE, Lever("no_trade_band", "lower")),  # stands at its bound
        (SIZE, Lever("weight_cap", "raise")),  # stands at the hard limit
        ("execute/next_bar", Lever("half_spread_bps", "lower")),  # a kinder world is no improvement
        (CLEAN, Lever("spike_action", "raise")),  # not a number
    ],
)
def test_levers_that_move_nothing(module: str, lever: Lever) -> None:
    assert candidates(module, [lever]) == ()


def proposed(findings: list[Finding]) -> list[Proposal]:
    desk = Desk(History(()), SUITE, lambda patches: [], deadline_s=0.0)
    made = (Rules().propose(module, found, desk) for module, found in by_module(findings).items())
    return [proposal for proposal in made if proposal is not None]


def test_one_proposal_a_module() -> None:
    found = proposed(
        [
            finding(SIZE, BAND),
            finding(CLEAN, Lever("stale_run_bars", "raise")),
            finding(SIZE, BAND, Lever("smoothing_bars", "raise")),
            finding("skills/trend", BAND),
            finding("execute/next_bar"),
        ]
    )
    assert [(p.module, len(p.findings)) for p in found] == [(SIZE, 2), (CLEAN, 1)]
    assert {s for p in found[0].candidates for s in p.changes} == {"no_trade_band", "smoothing_bars"}
    assert {p.proposer for p in found} == {"rules"}
    assert len({p.proposal_id for p in found}) == 2


# --- memory -----------------------------------------------------------------------------------------


def history(folder: Path, *events: Event) -> History:
    with Ledger(folder / "ledger", folder / "checkpoints") as ledger:
        ledger.append(*events)
    return History.read(folder / "ledger")


SETTLES = [
    (band(0.04), "", SUITE, True),
    (band(0.04), "NOT_SIGNIFICANT", SUITE, True),
    (band(0.04), "GUARD(turnover)", SUITE, True),
    (band(0.04), "NO_CERTIFICATE", SUITE, False),
    (band(0.04), "STALE_CERTIFICATE", SUITE, False),
    (band(0.04), "NOT_REPRODUCED", SUITE, False),
    (band(0.04), "NOT_BETTER", "6" * 64, False),  # another suite asks another question
    (band(0.04, old=0.01), "NOT_BETTER", SUITE, False),  # another base
    (band(0.03), "NOT_BETTER", SUITE, False),
    (Patch(module="size/vol_target", changes=band(0.04).changes), "NOT_BETTER", SUITE, False),
]


@pytest.mark.parametrize("before, reason, suite, settled", SETTLES)
def test_what_settles_a_patch(tmp_path: Path, before: Patch, reason: str, suite: str, settled: bool) -> None:
    memory = history(tmp_path, *judged(before, "a", reason, suite=suite))
    sifted = sift([band(0.04), band(0.02)], memory, SUITE)
    assert (len(sifted.judged), len(sifted.fresh)) == ((1, 1) if settled else (0, 2))
    assert (sifted.shipped is not None) == (settled and not reason)


def test_every_reason_is_settled_or_not_on_purpose() -> None:
    assert set(Reason) > UNSETTLED


def test_what_a_human_turned_down_no_longer_stands(tmp_path: Path) -> None:
    opened = ReviewOpened(branch="supervisor/a", ablation_id="a", commit="c")
    turned_down = ReviewRejected(branch="supervisor/a", by="Ada", reason="no")
    memory = history(tmp_path, *judged(band(0.04), "a", ""), opened, turned_down)
    sifted = sift([band(0.04)], memory, SUITE)
    assert (sifted.fresh, sifted.shipped) == ((), None)
    assert sifted.judged[0].branch == "supervisor/a"


def test_the_newest_verdict_counts(tmp_path: Path) -> None:
    memory = history(tmp_path, *judged(band(0.04), "a", ""), *judged(band(0.04), "a", "NOT_BETTER"))
    assert len(memory.judged) == 1
    assert sift([band(0.04)], memory, SUITE).shipped is None


def test_an_ablation_that_never_finished_settles_nothing(tmp_path: Path) -> None:
    memory = history(tmp_path, judged(band(0.04), "a", "")[0])
    assert sift([band(0.04)], memory, SUITE).judged == ()
