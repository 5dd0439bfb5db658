"""Patches of skills before the gate: the recorded sentences of a suite, researched anew in both arms.

Invariants:
1. Both arms draft on bars before the judged period, and trade only bars after it.
2. A patch that drafts the same has no effect; one that drafts nothing is flat, and the guards see it.
3. Whatever drafts better ships by the same rules as any other patch, and its verdict is recomputed from its record.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ablations.ablate import ablate
from ablations.drafted import redrafts
from ablations.gate import Reason
from ablations.patch import Change, Patch, TextChange
from ablations.record import AblationRecord, recompute
from ablations.suite import SUITES, Suite, default_suite, load_suite
from harness.redraft import skills_with
from modules.datastore import DataStore
from modules.workspace import CHECKOUT, Workspace
from skills.registry import SkillError
from traces.events import Event, RunStarted, TrialRecorded

PATH = "skills/short-term-reversal/SKILL.md"
TEXT = (CHECKOUT / PATH).read_text()
SUITE = "research_reversal"
PLAIN, RISK = "expr: returns(close, {h})\n", "expr: returns(close, {h}) / ts_std(returns(close, 1), 63)\n"
BETA = next(line.strip() + "\n" for line in TEXT.splitlines() if "ts_beta" in line)
SMOOTH = (
    TEXT.replace(PLAIN, "expr: ts_mean(returns(close, {h}), 10)\n")
    .replace(RISK, "expr: ts_mean(returns(close, {h}) / ts_std(returns(close, 1), 63), 10)\n")
    .replace(BETA, "expr: ts_mean(returns(close, {h}), 5)\n")
)
"""Every recipe averaged over a week or two: the same bet, traded half as often."""

BROKEN = TEXT.replace("expr: returns(close, {h})", "expr: no_such_operator(close, {h})")


def patch(new: str, path: str = PATH) -> Patch:
    return Patch(module="skills", texts={path: TextChange(old=(CHECKOUT / path).read_text(), new=new)})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(CHECKOUT, tmp_path_factory.mktemp("state"))


def six() -> Suite:
    full = load_suite(SUITE)
    return full.model_copy(update={"tasks": full.tasks[1:7]})


def judged(workspace: Workspace, new: str, events: list[Event] | None = None) -> AblationRecord:
    emit = (events if events is not None else []).append
    return ablate(patch(new), six(), workspace, emit, history=lambda: ())


@pytest.mark.slow
def test_a_recipe_that_trades_half_as_often_passes_everything_but_the_certificate(workspace: Workspace) -> None:
    events: list[Event] = []
    record = judged(workspace, SMOOTH, events)
    assert record.verdict.reason in (Reason.STALE_CERTIFICATE, Reason.NO_CERTIFICATE)  # the last thing asked
    assert record.floor is not None and record.floor.lower_bound > 0.3
    assert all(t.diverges.startswith("feature/expression") and not t.not_contained for t in record.tasks)
    assert all(t.patched_metrics["drafts_accepted"] == 3.0 for t in record.tasks)
    assert recompute(record)[1] == []
    version = DataStore(workspace.data).current("us20")
    runs = [e for e in events if isinstance(e, RunStarted)]
    drafted = [e for e in runs if e.start < str(record.suite.start)]
    assert drafted and all(e.end <= record.suite.start for e in drafted)
    assert {e.data_digest for e in runs} == {version.digest}
    looks = [e for e in events if isinstance(e, TrialRecorded) and e.family == "screen"]
    assert len(looks) == len({e.trial_id for e in looks}) == 6 * len(six().tasks)  # three a sentence and arm


@pytest.mark.slow
def test_words_alone_have_no_effect(workspace: Workspace) -> None:
    assert judged(workspace, TEXT + "\nMore.\n").verdict.reason is Reason.NO_EFFECT


@pytest.mark.slow
def test_a_skill_that_drafts_nothing_does_not_win_by_not_trading(workspace: Workspace) -> None:
    """On these years every reversal loses after costs, so that no trade at all has the better Sharpe ratio."""
    record = judged(workspace, BROKEN)
    assert record.floor is not None and record.floor.delta > 0.0
    assert record.verdict.reason is Reason.GUARD and record.verdict.label == "GUARD(drafts_accepted.ratio)"
    assert all(t.patched == {} and t.patched_metrics["net_sharpe"] == 0.0 for t in record.tasks)


@pytest.mark.slow
def test_a_skill_that_cannot_be_read_is_not_accepted(workspace: Workspace) -> None:
    record = judged(workspace, TEXT.replace("name: short", "name: other"))
    assert record.verdict.reason is Reason.NOT_ACCEPTED and "differs from the folder" in record.tasks[0].not_accepted


def test_which_patches_are_judged_so() -> None:
    research, plain = load_suite(SUITE), load_suite("fast")
    settings = Patch(module="size/rank_neutral", changes={"no_trade_band": Change(old=0.0, new=0.02)})
    assert redrafts(patch(SMOOTH), research)
    assert not redrafts(patch(SMOOTH), plain) and not redrafts(settings, research)
    assert patch(SMOOTH).subject == "skills/short-term-reversal" and settings.subject == "size/rank_neutral"
    assert default_suite(patch(SMOOTH).subject) == SUITE


def test_a_suite_gives_sentences_to_all_tasks_or_to_none() -> None:
    values = yaml.safe_load((SUITES / f"{SUITE}.yaml").read_text())
    assert Suite.model_validate(values).researches
    del values["tasks"][0]["sentence"]
    with pytest.raises(ValueError, match="sentences are of some tasks only"):
        Suite.model_validate(values)
    values["tasks"][0]["sentence"] = values["tasks"][1]["sentence"]
    with pytest.raises(ValueError, match="stand twice"):
        Suite.model_validate(values)


def test_skills_with_a_text_in_place_of_another(tmp_path: Path) -> None:
    folder = CHECKOUT / "skills"
    before = {s.name: s.digest for s in skills_with(folder, {})}
    after = {s.name: s.digest for s in skills_with(folder, {PATH: SMOOTH, "skills/momentum/notes.md": "x"})}
    assert {name for name in before if before[name] != after[name]} == {"short-term-reversal"}
    assert list(before) == sorted(before)
    with pytest.raises(SkillError):
        skills_with(folder, {PATH: "no frontmatter"})
