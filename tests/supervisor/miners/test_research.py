"""Miners of research: skills, drafts of code, money, words; and of what judges and humans said."""

from __future__ import annotations

import pytest

from supervisor.miners.alike_code import AlikeCode
from supervisor.miners.idle_skills import IdleSkills
from supervisor.miners.open_questions import OpenQuestions
from supervisor.miners.turned_down import TurnedDown
from supervisor.miners.unmended import Unmended
from supervisor.miners.vain_patches import VainPatches
from supervisor.miners.vain_skills import VainSkills
from supervisor.miners.vain_spend import VainSpend
from tests.supervisor.conftest import SIZE, Traces
from traces.events import (
    AblationFinished,
    AblationStarted,
    CandidateScreened,
    Change,
    ExchangeRecorded,
    FindingRecorded,
    ModuleTested,
    ModuleWritten,
    PatchProposed,
    ResearchNeedsInput,
    ResearchStarted,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
)


def written(research_id: str, expr: str) -> ModuleWritten:
    return ModuleWritten(research_id=research_id, expr=expr, run_id="r", branch="b", commit="c")


def test_skills_that_were_never_matched(traces: Traces) -> None:
    traces.skills = frozenset({"trend", "gap", "beta"})
    for i in range(50):
        traces.draft(f"r{i:02d}", "rank(close)", "trend" if i else "beta", "")
    assert [(f.module, f.size) for f in IdleSkills().mine(traces.mined())] == [("skills/gap", 50.0)]
    assert IdleSkills(least=51).mine(traces.mined()) == []


def test_skills_matched_in_vain(traces: Traces) -> None:
    for i in range(5):
        traces.draft(f"r{i}", f"a{i}", "trend", "")
        traces.draft(f"r{i}", f"b{i}", "gap", "novelty: as before")
        traces.events.append(CandidateScreened(research_id=f"r{i}", expr=f"b{i}", score=i - 2.0, ic=0.0, coverage=1.0))
    traces.events.append(written("r3", "a3"))
    [finding] = VainSkills().mine(traces.mined())
    assert (finding.module, finding.size, finding.evidence) == ("skills/gap", 5.0, ("r0", "r1", "r2", "r3", "r4"))
    assert "0 passed the checks, 2 had a positive screen" in finding.statement
    assert VainSkills(least=6).mine(traces.mined()) == []


def test_code_that_fails_alike(traces: Traces) -> None:
    for i in range(4):
        for attempt in (1, 2):
            failed = ("pure", "units") if i == 0 else ("pure",) if i < 3 else ()
            traces.events.append(
                ModuleTested(
                    coding_id=f"c{i}", module=f"size/mine{i}", attempt=attempt, files_digest="f", inputs_digest="i",
                    sandbox="jail", passed=not failed, failed=failed,
                )
            )  # fmt: skip
    [finding] = AlikeCode().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == ("skills/module-size", 6.0, 3)
    assert finding.pattern.endswith("pure") and finding.evidence == ("c0", "c1", "c2")
    assert "3 of 4" in finding.statement
    assert AlikeCode(least=4).mine(traces.mined()) == []


def spend(traces: Traces, research_id: str, usd: float | None, *, tokens: int = 100, replayed: bool = False) -> None:
    traces.events.append(
        ExchangeRecorded(
            research_id=research_id, who="openai:m", label="draft", request="q", line="l", input_tokens=tokens,
            cost_micro_usd=None if usd is None else round(usd * 1e6), replayed=replayed,
        )
    )  # fmt: skip


def test_money_spent_in_vain(traces: Traces) -> None:
    for i in range(4):
        spend(traces, f"r{i}", 0.02)
        spend(traces, f"r{i}", 5.0, replayed=True)
    traces.events.append(written("r0", "x"))
    [finding] = VainSpend().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == ("harness/openai:m", pytest.approx(0.06), 3)
    assert finding.evidence == ("r1", "r2", "r3")
    traces.events += [written("r1", "x")]
    assert VainSpend().mine(traces.mined()) == []


def test_money_of_unknown_price_counts_by_its_tokens(traces: Traces) -> None:
    for i in range(3):
        spend(traces, f"r{i}", None, tokens=4_000)
    assert [f.size for f in VainSpend().mine(traces.mined())] == [0.0]
    assert VainSpend(tokens=12_000).mine(traces.mined()) == []


def test_words_that_nobody_reads(traces: Traces) -> None:
    for i, unread in enumerate([("Open Interest", "x"), ("open interest ",), ("open interest",), ("x",), ()]):
        traces.events.append(ResearchStarted(research_id=f"r{i}", text="t", drafter="offline", seed=0))
        traces.events.append(ResearchNeedsInput(research_id=f"r{i}", question="q", unread=unread))
        traces.events.append(ResearchNeedsInput(research_id=f"r{i}", question="again", unread=unread))
    [finding] = OpenQuestions().mine(traces.mined())
    assert (finding.pattern, finding.size, finding.evidence) == ("unread: open interest", 3.0, ("r0", "r1", "r2"))
    assert "3 of 5" in finding.statement


def judged(traces: Traces, ablation_id: str, reason: str, module: str = SIZE) -> None:
    traces.events.append(
        AblationStarted(
            ablation_id=ablation_id, module=module, patch={"no_trade_band": Change(old=0.0, new=0.02)}, suite="s",
            suite_digest="d",
        )
    )  # fmt: skip
    traces.events.append(
        AblationFinished(
            ablation_id=ablation_id, module=module, verdict="REJECT" if reason else "SHIP", reason=reason, delta=None,
            lower_bound=None, p_value=None, level=None, seconds=3.0,
        )
    )  # fmt: skip


def test_patches_judged_in_vain(traces: Traces) -> None:
    for i, reason in enumerate(["NOT_BETTER", "NOT_BETTER", "NO_EFFECT", "GUARD(turnover)", "NOT_SIGNIFICANT"]):
        judged(traces, f"a{i}", reason)
    judged(traces, "a0", "NOT_BETTER")  # judged again: one patch
    judged(traces, "a9", "NO_CERTIFICATE")  # says nothing of the patch
    [finding] = VainPatches().mine(traces.mined())
    assert (finding.module, finding.size, finding.occurrences) == (SIZE, 15.0, 5)
    assert "most often NOT_BETTER" in finding.statement
    judged(traces, "a8", "")
    assert VainPatches().mine(traces.mined()) == []


def test_what_humans_turned_down_and_why(traces: Traces) -> None:
    for name in ("a", "b", "c"):
        judged(traces, name, "")
        traces.events.append(ReviewOpened(branch=f"supervisor/{name}", ablation_id=name, commit="c"))
        if name != "c":
            traces.events.append(
                ReviewRejected(branch=f"supervisor/{name}", by="Ada", reason=f"too coarse, says {name}")
            )
    traces.events.append(ReviewApproved(branch="supervisor/b", by="Ada", merge_commit="m"))
    [finding] = TurnedDown().mine(traces.mined())
    assert (finding.module, finding.size, finding.evidence) == (SIZE, 1.0, ("a",))
    assert "Ada: too coarse, says a" in finding.statement and not finding.levers


def sighting(traces: Traces, finding_id: str, size: float, pattern: str = "costs are high", module: str = SIZE) -> None:
    traces.events.append(
        FindingRecorded(
            finding_id=finding_id, miner="cost_share", module=module, statement="s", size=size, occurrences=1,
            evidence=(), pattern=pattern, unit="share",
        )
    )  # fmt: skip


def merged_for(traces: Traces, *findings: str, name: str = "a", answer: str = "yes") -> None:
    traces.events.append(
        PatchProposed(proposal_id="p", proposer="rules", module=SIZE, findings=findings, patches=("d",), changes={})
    )
    judged(traces, name, "")
    branch = f"supervisor/{name}"
    traces.events.append(ReviewOpened(branch=branch, ablation_id=name, commit="c"))
    traces.events.append(
        ReviewApproved(branch=branch, by="Ada", merge_commit="m")
        if answer == "yes"
        else ReviewRejected(branch=branch, by="Ada", reason="no")
    )


def test_merged_patches_that_mended_nothing(traces: Traces) -> None:
    sighting(traces, "f1", 0.8)
    sighting(traces, "g1", 0.8, "turnover is high")
    sighting(traces, "h1", 0.8, "not what it was for")
    merged_for(traces, "f1", "g1")
    assert Unmended().mine(traces.mined()) == []  # nobody has looked since
    sighting(traces, "f2", 0.9)
    sighting(traces, "f3", 0.75)
    sighting(traces, "g3", 0.7, "turnover is high")
    sighting(traces, "h2", 0.9, "not what it was for")
    [finding] = Unmended().mine(traces.mined())
    assert (finding.module, finding.size, finding.evidence) == (SIZE, 0.75, ("a",))
    assert "costs are high" in finding.pattern and "0.8 share before 1 merged patches" in finding.statement


def test_what_shrank_or_was_never_merged_is_no_refuted_claim(traces: Traces) -> None:
    sighting(traces, "f1", 0.8)
    merged_for(traces, "f1")
    sighting(traces, "f2", 0.71)
    assert Unmended().mine(traces.mined()) == []
    sighting(traces, "k1", 0.8, "other")
    merged_for(traces, "k1", name="b", answer="no")
    sighting(traces, "k2", 0.8, "other")
    assert Unmended().mine(traces.mined()) == []
