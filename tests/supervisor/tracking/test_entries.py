"""What MLflow is told of each thing, without MLflow.

1. A run, an ablation, a certificate is told when it ends, with all of its own events and nobody else's.
2. What never ends is told as cut off once the ledger is a day further, a run; forgotten, an ablation.
3. The oldest thing without an end says from where to read again.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from modules.workspace import Workspace
from supervisor.tracking.entries import CUT_OFF_NS, PURPOSES, Entry, Fate, Gatherer
from tests.supervisor.board.story import ADA, ablation
from traces.events import CertificateIssued, Envelope, Event, ReviewApproved, RunFinished, RunStarted, StageFinished

KEY = "abcdef0123456789"
RUN = RunStarted(
    run_id="r-1",
    task_digest="t" * 64,
    data="us20",
    data_digest="d" * 64,
    signal="rank(close)",
    start="1990-01-02",
    end="2006-06-30",
    seed=7,
    modules={"size": "rank_neutral"},
    purpose="run",
)
STAGE = StageFinished(
    run_id="r-1",
    stage="size",
    module="rank_neutral",
    code_digest="c" * 64,
    settings_digest="s" * 64,
    settings={"no_trade_band": 0.04},
    inputs={},
    outputs={"weights": "2" * 64},
    seconds=0.5,
    cached=False,
    metrics={"gross": 1.0},
)
ENDED = RunFinished(run_id="r-1", digest="f" * 64, metrics={"net_sharpe": 0.5}, seconds=1.0)


@pytest.fixture
def gatherer(tmp_path: Path) -> Gatherer:
    return Gatherer(Workspace(root=tmp_path, home=tmp_path / "state"), KEY, PURPOSES)


def fed(gatherer: Gatherer, *events: Event, at: int = 0, from_ns: int = 0) -> list[Entry | Fate]:
    """What the events complete; a second passes between two."""
    return [
        thing
        for n, event in enumerate(events)
        for thing in gatherer.take(
            Envelope(seq=at + n, ts_ns=from_ns + (n + 1) * 1_000_000_000, prev="0" * 64, event=event)
        )
    ]


def test_1_a_run_among_others(gatherer: Gatherer) -> None:
    other = RUN.model_copy(update={"run_id": "r-2", "purpose": "ablation"})
    foreign = STAGE.model_copy(update={"run_id": "r-2", "metrics": {"gross": 9.0}})
    report = gatherer.workspace.reports / "r-1" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("page")
    (report.parent / ".draft").write_text("half")
    (entry,) = fed(gatherer, RUN, other, foreign, STAGE, ENDED)
    assert isinstance(entry, Entry) and (entry.kind, entry.seq) == ("runs", 4)
    assert entry.export.metrics == {"size.gross": 1.0, "net_sharpe": 0.5, "seconds": 1.0}
    assert entry.export.artifacts == (report,) and entry.export.status == "FINISHED"
    assert gatherer.oldest_open() is None


def test_1_an_ablation_a_certificate_a_review(gatherer: Gatherer) -> None:
    started, trial, finished = ablation(1, "size/a", "band", True, 0.001, random.Random(1))
    merged = ReviewApproved(branch=f"supervisor/{1:016x}", by=ADA, merge_commit="e" * 40)
    certificate = CertificateIssued(
        certificate_id="9" * 16,
        gate_digest="g",
        suite_digest="s",
        data_digest="d",
        patches=1000,
        false_ships=0,
        upper_bound=0.003,
        minimum_detectable=None,
    )
    told = fed(gatherer, started, trial, finished, merged, certificate)
    first, fate, last = told
    assert isinstance(first, Entry) and isinstance(fate, Fate) and isinstance(last, Entry)
    assert first.export.run_id == f"{1:016x}-abcdef01" and first.export.params["patch.band"] == "0.0 -> 0.02"
    assert first.export.metrics["shipped"] == 1.0 and first.export.tags["cws.verdict"] == "SHIP"
    assert "verdict" not in first.export.params
    assert fate.ablation_id == f"{1:016x}" and fate.tags["cws.review"] == "merged" and fate.tags["cws.by"] == ADA
    assert last.kind == "certificates" and last.export.metrics["patches"] == 1000.0


def test_2_what_never_ends(gatherer: Gatherer) -> None:
    started, _, _ = ablation(1, "size/a", "band", True, 0.001, random.Random(1))
    later = RUN.model_copy(update={"run_id": "r-9"})
    assert fed(gatherer, RUN, STAGE, started) == [] and gatherer.oldest_open() == 0
    (entry,) = fed(gatherer, later, at=3, from_ns=CUT_OFF_NS + 1_000_000_000)
    assert isinstance(entry, Entry) and entry.export.run_id == "r-1" and entry.export.status == "KILLED"
    assert "cut off" in entry.export.tags["cws.error"] and entry.seq == 1
    assert gatherer.oldest_open() == 2
    fed(gatherer, later, at=4, from_ns=CUT_OFF_NS + 4_000_000_000)
    assert gatherer.oldest_open() == 4


def test_3_where_to_read_again(gatherer: Gatherer) -> None:
    second = RUN.model_copy(update={"run_id": "r-2"})
    fed(gatherer, RUN, second, ENDED)
    assert gatherer.oldest_open() == 1
