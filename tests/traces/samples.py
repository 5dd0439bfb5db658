"""One event of every kind, and a small ledger to attack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from traces.events import (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    CandidateChecked,
    CandidateDrafted,
    CandidateScreened,
    CertificateIssued,
    Change,
    DataRegistered,
    Event,
    ExchangeRecorded,
    FaultsPlanted,
    FeaturesCompared,
    FeaturesStored,
    FindingRecorded,
    LedgerRepaired,
    LockboxOpened,
    MergeBegun,
    ModuleTested,
    ModuleWritten,
    NightFinished,
    NightStarted,
    PatchProposed,
    PatchRolledBack,
    PatchScreened,
    PatchWatched,
    PromotionDecided,
    ResearchNeedsInput,
    ResearchRefused,
    ResearchStarted,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    RollbackProposed,
    RunFailed,
    RunFinished,
    RunProfiled,
    RunStarted,
    StageFinished,
    StageRefused,
    TrialRecorded,
)
from traces.ledger import Ledger

ONE_OF_EACH: tuple[Event, ...] = (
    RunStarted(
        run_id="run-1",
        task_digest="t" * 64,
        data="us20",
        data_digest="d" * 64,
        signal="rank(-returns(close, 5))",
        start="1990-01-02",
        end="2006-06-30",
        seed=7,
        modules={"size": "rank_neutral", "clean": "quality"},
        purpose="run",
    ),
    RunFinished(run_id="run-1", digest="f" * 64, metrics={"net_sharpe": -0.69, "turnover": 0.41}, seconds=1.25),
    RunFailed(run_id="run-2", stage="clean", error="ContractError", message="close: 3 NaN\nsecond line"),
    StageFinished(
        run_id="run-1",
        stage="size",
        module="rank_neutral",
        code_digest="c" * 64,
        settings_digest="s" * 64,
        settings={"no_trade_band": 0.04, "smoothing_bars": 5, "shorts": True, "halves": (1, 2.5, "x"), "cap": None},
        inputs={"signal": "1" * 64},
        outputs={"weights": "2" * 64},
        seconds=0.5,
        cached=False,
        metrics={"gross": 1.0},
    ),
    StageRefused(
        run_id="run-2", stage="clean", module="quality", side="inputs", rules={"close positive": 3}, message="3 rows"
    ),
    RunProfiled(
        run_id="r1",
        measure="9" * 64,
        years={"2001": 0.5, "2002": None},
        regimes={"calm": 1.0, "volatile": -0.25},
        sectors={"Energy": -120.5},
        symbols={"AAPL.NASDAQ": 10.0},
        figures={"shortfall_bps": 7.5},
    ),
    FaultsPlanted(
        trial_id="f1",
        module="clean/quality",
        code_digest="c" * 64,
        settings_digest="5" * 64,
        data_digest="d" * 64,
        seed=7,
        cells=1000,
        planted={"spike": 10},
        found={"spike": 9},
        alarms={"spike": 3},
        standing={"spike": 2},
    ),
    FeaturesCompared(
        comparison_id="c1",
        module="feature/momentum",
        code_digest="c" * 64,
        settings_digest="5" * 64,
        data_digest="d" * 64,
        features=("a@1", "b@1"),
        used=("a@1",),
        floor=0.95,
        alike={"a@1 b@1": 0.97},
    ),
    DataRegistered(
        name="us20",
        version="v1",
        digest="d" * 64,
        ingest="sample",
        rows=8313,
        symbols=20,
        start="1990-01-02",
        end="2022-12-28",
        refused={"duplicate rows": 2},
    ),
    FeaturesStored(data="us20", data_digest="d" * 64, version=3, commit="c" * 64, features=["KMID@1"], files=2),
    ResearchStarted(research_id="res-1", text="stocks that fell the most “rebound”", drafter="offline", seed=1),
    ResearchNeedsInput(research_id="res-1", question="over which horizon?", unread=["soon"]),
    ResearchRefused(research_id="res-1", reason="NO_SKILL", message="no skill matches"),
    CandidateDrafted(research_id="res-1", expr="-returns(close, 5)", skill="reversal", why="fell the most"),
    CandidateChecked(research_id="res-1", expr="-returns(close, 5)", passed=True, reason="OK"),
    CandidateScreened(research_id="res-1", expr="-returns(close, 5)", score=0.2, ic=None, coverage=0.99),
    ModuleTested(
        coding_id="cod-1",
        module="feature/gap_fade",
        attempt=2,
        files_digest="e" * 64,
        inputs_digest="f" * 64,
        sandbox="docker",
        passed=False,
        failed=("it runs",),
    ),
    ModuleWritten(
        research_id="res-1", expr="-returns(close, 5)", run_id="run-1", branch="research/res-1", commit="a" * 40
    ),
    ExchangeRecorded(
        research_id="res-1", who="anthropic:m", label="draft/1", request="e" * 64, line="f" * 64, output_tokens=9
    ),
    TrialRecorded(trial_id="tr-1", family="ablation", subject="ab-1", data_digest="d" * 64, p_value=1e-300),
    FindingRecorded(
        finding_id="fi-1",
        miner="cost",
        module="size/rank_neutral",
        statement="cost eats the gross edge",
        size=0.8,
        occurrences=4,
        evidence=("run-1", "run-2"),
    ),
    PatchProposed(
        proposal_id="pr-1",
        proposer="search",
        module="size/rank_neutral",
        findings=("fi-1",),
        patches=("e" * 64,),
        changes={"no_trade_band": Change(old=0.0, new=0.04)},
        seed=7,
        seconds=1.5,
    ),
    PatchScreened(
        question="a" * 64,
        trial_id="screen-1",
        module="size/rank_neutral",
        patch_digest="e" * 64,
        changes={"no_trade_band": Change(old=0.0, new=0.04)},
        suite_digest="e" * 64,
        outcome="measured",
        delta=0.3,
        lower_bound=0.1,
    ),
    AblationStarted(
        ablation_id="ab-1",
        module="size/rank_neutral",
        patch={"no_trade_band": Change(old=0.0, new=0.04)},
        suite="reversal",
        suite_digest="e" * 64,
    ),
    AblationFinished(
        ablation_id="ab-1",
        module="size/rank_neutral",
        verdict="SHIP",
        reason="BETTER",
        delta=0.3,
        lower_bound=0.1,
        p_value=0.0004,
        level=0.01,
        seconds=9.5,
    ),
    CertificateIssued(
        certificate_id="ce-1",
        gate_digest="g" * 64,
        suite_digest="e" * 64,
        data_digest="d" * 64,
        patches=200,
        false_ships=1,
        upper_bound=0.02,
        minimum_detectable=None,
    ),
    ReviewOpened(branch="ablation/ab-1", ablation_id="ab-1", commit="a" * 40),
    MergeBegun(branch="ablation/ab-1", by="A Human <human@example.com>", commit="a" * 40, base="c" * 40),
    ReviewApproved(branch="ablation/ab-1", by="A Human <human@example.com>", merge_commit="b" * 40),
    ReviewRejected(branch="research/res-1", by="A Human <human@example.com>", reason="too costly"),
    PatchWatched(
        ablation_id="ab-1",
        question="q" * 64,
        data_digest="d" * 64,
        start="2016-03-04",
        end="2019-06-03",
        later=True,
        benefit=-0.01,
        lower_bound=-0.2,
        upper_bound=0.18,
        bound=0.05,
        decayed=True,
        seconds=4.2,
    ),
    RollbackProposed(
        ablation_id="ab-1", branch="rollback/ab-1", commit="a" * 40, by="A Human <human@example.com>", reason="decayed"
    ),
    PatchRolledBack(
        ablation_id="ab-1",
        branch="ablation/ab-1",
        by="A Human <human@example.com>",
        reason="decayed",
        merge_commit="b" * 40,
    ),
    NightStarted(night_id="night-0", number=0, seed=7, seconds=600.0, ablations=20, suite=None),
    ArmPulled(
        night_id="night-0", pull=0, module="size/rank_neutral", proposer="rules", why="drawn", score=0.004, due=""
    ),
    ArmPaid(
        night_id="night-0",
        pull=0,
        module="size/rank_neutral",
        proposer="rules",
        outcome="ship",
        gain=0.2,
        seconds=31.5,
        ablation_id="abl-1",
    ),
    NightFinished(night_id="night-0", reason="time", seconds=599.0, pulls=1, ablations=1, shipped=1),
    LockboxOpened(
        run_id="run-1",
        run_digest="f" * 64,
        strategy="5" * 64,
        data="us20",
        version="v1",
        data_digest="d" * 64,
        purpose="promotion",
        by="A Human <human@example.com>",
        earlier=2,
        exposed_share=0.25,
    ),
    PromotionDecided(
        promotion_id="abcdef0123456789",
        run_id="run-1",
        run_digest="f" * 64,
        strategy="5" * 64,
        to="paper",
        decision="REFUSE",
        held=("max_drawdown",),
        failed=("min_lockbox_sharpe", "max_permutation_p"),
        figures={"max_drawdown": 0.11, "min_lockbox_sharpe": -0.2, "max_permutation_p": None},
        opened=True,
        by="A Human <human@example.com>",
        record="9" * 64,
    ),
    LedgerRepaired(file="torn-after-000000003-0123456789ab.bytes", torn_bytes=12, sha256="0" * 64, complete_lines=0),
)


@dataclass(frozen=True)
class Folders:
    """Where a test's ledger lives."""

    ledger: Path
    checkpoint: Path

    @property
    def log(self) -> Path:
        return self.ledger / "events.jsonl"

    def open(self) -> Ledger:
        return Ledger(self.ledger, self.checkpoint)


def folders(root: Path) -> Folders:
    return Folders(root / "ledger", root / "checkpoints")


def finding(n: int) -> Event:
    """Small events that differ."""
    return ReviewRejected(branch=f"b{n}", by="h", reason="r")
