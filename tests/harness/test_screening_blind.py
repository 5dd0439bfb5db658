"""What lies after the discovery half has no say in what is checked, screened or chosen, and every look is a trial.

1. Other prices after the discovery half, whatever they are, leave candidates, checks, screens and choice as they were.
2. Each screen is one trial in the events, also when the same text is asked again.
3. A claim that is known throughout is tested as a replication, or refused unseen where only new ones are asked for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.research import research
from harness.result import ResearchResult
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.panel import Panel
from modules.workspace import Workspace
from tests.harness.planted import reversal_panel, small_checkout, wide_csv
from traces.events import Event

TEXT = "Stocks that fell the most last week rebound"
BARS = 1_500


def looked_at(
    folder: Path, bars: Panel, times: int = 1, *, new_only: bool = False
) -> tuple[ResearchResult, list[Event], int]:
    """Research of TEXT on these bars, its events, and where the discovery half ends."""
    workspace = Workspace(root=small_checkout(folder / "checkout"), home=folder / "home")
    store = DataStore(workspace.data)
    add_files(store, "planted", [wide_csv(bars, folder / "planted.csv")])
    events: list[Event] = []
    for _ in range(times):
        result = research(TEXT, workspace=workspace, emit=events.append, data="planted", k=3, new_only=new_only)
    return result, events, store.current("planted").mining_end_ns


@pytest.mark.slow
def test_later_prices_have_no_say(tmp_path: Path) -> None:
    bars = reversal_panel(BARS)
    (tmp_path / "a").mkdir()
    first, _, end = looked_at(tmp_path / "a", bars)
    later = bars.ts > end
    assert 0.4 < later.mean() < 0.6
    close = bars["close"].copy()
    shocks = np.random.default_rng(99).normal(0.0, 0.08, close[later].shape)
    close[later] *= np.exp(np.cumsum(shocks, axis=0))
    (tmp_path / "b").mkdir()
    other, _, same_end = looked_at(tmp_path / "b", bars.with_fields(close=close))
    assert same_end == end
    assert other.candidates == first.candidates and other.rejected == first.rejected
    assert other.screens == first.screens and len(first.screens) == 3
    assert first.chosen is not None and other.chosen is not None
    assert other.chosen.expr == first.chosen.expr and other.metrics == first.metrics


@pytest.mark.slow
def test_every_look_is_a_trial(tmp_path: Path) -> None:
    result, events, _ = looked_at(tmp_path, reversal_panel(BARS), times=2)
    trials = [e for e in events if e.kind == "trial.recorded" and e.family == "screen"]
    screened = [e for e in events if e.kind == "candidate.screened"]
    assert len(trials) == len(screened) == 2 * len(result.screens) == 6
    assert len({t.trial_id for t in trials}) == 6
    assert [t.subject for t in trials] == [s.expr for s in screened]
    assert result.replication is not None and "library" in result.replication
    assert any("replication" in note for note in result.notes), result.notes


@pytest.mark.slow
def test_a_known_claim_is_refused_where_only_new_ones_are_asked_for(tmp_path: Path) -> None:
    result, events, _ = looked_at(tmp_path, reversal_panel(BARS), new_only=True)
    assert (result.status, result.reason, result.replication) == ("refused", "no_candidate", None)
    assert result.message is not None and "library rev_5@1" in result.message and "at least 0.7" in result.message
    assert result.screens == () and not [e for e in events if e.kind == "trial.recorded"]
