"""Patches of two modules: what may be one, and what each half is worth alone.

1. A patch of one module keeps its digest and its form; one of two holds each module's changes once, upstream first.
2. Files, settings and the ledger's words of a patch of two give the patch again.
3. The matrix says by how much both together beat the sum of each alone, on the real pipeline.
4. Containment holds for both: nothing else may differ between the arms.
"""

from __future__ import annotations

import numpy as np
import pytest

from ablations.ablate import ablate
from ablations.arms import _bit
from ablations.gate import Reason
from ablations.patch import Change, Patch, TextChange, patch_of, propose, rendered_files, together
from ablations.paths import PatchError
from ablations.record import recompute
from ablations.suite import load_suite
from ablations.swap import SwapMatrix, SwapRow, matrix
from cli.commands.ablate import patch_from
from modules.registry import load_module
from modules.workspace import CHECKOUT, Workspace

BAND = Patch(module="size/vol_target", changes={"no_trade_band": Change(old=0.005, new=0.002)})
SMOOTH = Patch(module="feature/reversal", changes={"smoothing_bars": Change(old=1, new=3)})


def test_a_patch_of_one_module_is_what_it_was() -> None:
    assert BAND.digest == "76ae834b914c8c7e1e6b48c0832500aeed3f8d0c01619372c279b88071e379fb"
    assert "also" not in BAND.model_dump(mode="json")
    assert BAND.parts == (BAND,)
    assert BAND.settings == BAND.changes


def test_a_patch_of_two_is_both_and_can_be_told_again() -> None:
    both = together(BAND, SMOOTH)
    assert (both.module, both.also and both.also.module) == ("feature/reversal", "size/vol_target")
    assert both == together(SMOOTH, BAND)
    assert both.parts == (SMOOTH, BAND)
    assert set(both.settings) == {"smoothing_bars", "size/vol_target:no_trade_band"}
    assert patch_of(both.module, both.settings) == both
    assert patch_from("size/vol_target", {"no_trade_band": 0.002, "feature/reversal:smoothing_bars": 3}) == both
    files = rendered_files(both, CHECKOUT)
    assert set(files) == {"modules/feature/reversal/settings.yaml", "modules/size/vol_target/settings.yaml"}
    assert "smoothing_bars: 3" in files["modules/feature/reversal/settings.yaml"]
    assert "no_trade_band: 0.002" in files["modules/size/vol_target/settings.yaml"]
    assert both.digest not in (BAND.digest, SMOOTH.digest)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (SMOOTH, SMOOTH, "further down"),
        (SMOOTH, SMOOTH.model_copy(update={"module": "feature/momentum"}), "further down"),
        (together(SMOOTH, BAND), BAND, "of one module each"),
        (SMOOTH, Patch(module="skills", texts={"skills/momentum/SKILL.md": TextChange(old=None, new="x")}), "of one"),
    ],
)
def test_what_is_no_patch_of_two(first: Patch, second: Patch, words: str) -> None:
    with pytest.raises((PatchError, ValueError), match=words):
        together(first, second)


def test_three_modules_are_refused() -> None:
    changes = {f"{m}:smoothing_bars": Change(old=1, new=2) for m in ("size/vol_target", "size/rank_neutral")}
    with pytest.raises(PatchError, match="at most two"):
        patch_of("feature/reversal", {**SMOOTH.changes, **changes})


@pytest.mark.parametrize("second", ["../../harness/llm", "execute/../../ablations", "size/VOL", "engine/bars"])
def test_the_second_module_leads_nowhere_else(second: str) -> None:
    with pytest.raises(ValueError, match="may touch"):
        Patch(module="feature/reversal", changes=SMOOTH.changes, also=BAND.model_copy(update={"module": second}))


def test_interaction_is_what_both_gain_beyond_the_sum() -> None:
    rows = (SwapRow(task="a", neither=1.0, first=1.5, second=0.5, both=2.0),)
    found = SwapMatrix(
        modules=("a", "b"), rows=(*rows, SwapRow(task="b", neither=0.0, first=0.5, second=0.5, both=3.0))
    )
    assert found.rows[0].interaction == pytest.approx(1.0)
    assert found.interaction == pytest.approx(1.5)
    assert found.gains == pytest.approx((0.5, 0.0, 2.0))
    assert "both are needed" in found.lines[1]
    worse = SwapMatrix(modules=("a", "b"), rows=(SwapRow(task="a", neither=0, first=1, second=0.2, both=0.9),))
    assert "as well or better" in worse.lines[1]
    flat = np.zeros(10)
    assert matrix(together(SMOOTH, BAND), ["t"], [(flat, flat)], [(0.0, 0.0)], 252.0).interaction == 0.0


@pytest.mark.parametrize(
    ("recorded", "found", "words"),
    [("0x8", "0xc", " bit 2"), ("0x1", "0x1", ""), (None, "0x1", ""), ("0x0", "0x8000000000000000", " bit 63")],
)
def test_the_bit_in_which_two_values_part(recorded: str | None, found: str, words: str) -> None:
    assert _bit(recorded, found) == words


@pytest.mark.slow
def test_both_halves_are_run_alone() -> None:
    """A faster signal needs a narrower band: with the wide one it is held back."""
    full = load_suite("planted_fast")
    suite = full.model_copy(update={"tasks": full.tasks[:6]})
    sluggish = propose(load_module("feature", "reversal"), {"smoothing_bars": 10})
    patch = together(sluggish, propose(load_module("size", "vol_target"), {"no_trade_band": 0.02}))
    workspace = Workspace.here()
    record = ablate(patch, suite, workspace, lambda event: None, history=lambda: ())
    assert record.swap is not None
    assert record.swap.modules == ("feature/reversal", "size/vol_target")
    assert recompute(record) == (record.verdict, [])
    first = ablate(sluggish, suite, workspace, lambda event: None, history=lambda: ())
    assert first.swap is None
    assert first.floor is not None
    assert record.swap.gains[0] == pytest.approx(first.floor.delta, abs=1e-6)
    assert record.floor is not None
    assert record.swap.gains[2] == pytest.approx(record.floor.delta, abs=1e-6)
    assert record.verdict.reason is Reason.NOT_BETTER
    assert {t.diverges.split(" ")[0] for t in record.tasks} == {"feature/reversal"}
    assert all(" bit " in t.diverges for t in record.tasks)
    assert not any(t.not_contained for t in record.tasks)
