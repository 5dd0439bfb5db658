"""The registry, asking again, what humans turned down, and the page.

Invariants:
1. The folder is the registry: a new file is a new miner, and a file that is none is refused by its name.
2. A miner is asked again only where a kind that it reads grew, or what is in force or may be mined moved; the findings
   are those of asking everybody.
3. A lever that a human turned down, from the value in force, is gone from every finding of that module; from another
   value it is there. A question that fails stops nobody else.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import supervisor.miners as registry
from modules.workspace import CHECKOUT
from supervisor.finding import Finding, Lever
from supervisor.heeding import heed, rejections
from supervisor.mined import MINED_PURPOSES, InForce, Mined
from supervisor.minerdocs import page
from supervisor.miners import MINERS
from supervisor.miners.cost_share import CostShare
from supervisor.miners.open_questions import OpenQuestions
from supervisor.miners.risk_cuts import RiskCuts
from supervisor.mining import Mining
from tests.supervisor.conftest import DATA, IN_FORCE, MINING_END_NS, NAMES, SIZE, Traces
from traces.events import (
    KINDS,
    AblationStarted,
    Change,
    Event,
    ResearchStarted,
    ReviewApproved,
    ReviewOpened,
    ReviewRejected,
    RunFinished,
    RunStarted,
    StageFinished,
    canonical_json,
)
from traces.log import GENESIS, LOG_NAME, hash_line
from traces.tables import Tables

COSTLY = {"execute": {"gross_pnl_usd": 100.0, "total_cost_usd": 180.0}}
PLUG_IN = """
from supervisor.miners.cost_share import CostShare
MINER = CostShare(share=0.9, name="{name}")
"""


def test_a_new_file_is_a_new_miner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "__path__", [*registry.__path__, str(tmp_path)])
    (tmp_path / "plugged_in.py").write_text(PLUG_IN.format(name="plugged_in"))
    (tmp_path / "_helper.py").write_text("x = 1\n")
    found = registry.miners_here()
    assert {m.name for m in found} - {m.name for m in MINERS} == {"plugged_in"}
    (tmp_path / "misnamed.py").write_text(PLUG_IN.format(name="another"))
    with pytest.raises(TypeError, match=r"misnamed\.py must set MINER .* it is another"):
        registry.miners_here()


def test_miners_say_what_they_read_and_what_they_are() -> None:
    assert len(MINERS) >= 14
    for miner in MINERS:
        assert miner.reads and miner.reads <= KINDS.keys(), miner.name
        assert miner.turn in (1, 2, 3)


def test_the_page_is_made_of_the_docstrings() -> None:
    assert (CHECKOUT / "docs" / "miners.md").read_text() == page(), "python -m supervisor.minerdocs > docs/miners.md"


# --- asking again -----------------------------------------------------------------------------------------


def test_only_what_something_new_concerns_is_asked(traces: Traces) -> None:
    mining = Mining((CostShare(), OpenQuestions()))
    traces.run(COSTLY)
    [first] = mining.mine(traces.mined())
    assert mining.asked == ["cost_share", "open_questions"]
    assert mining.mine(traces.mined()) == [first] and mining.asked == []
    traces.events.append(ResearchStarted(research_id="r", text="t", drafter="offline", seed=0))
    assert mining.mine(traces.mined()) == [first] and mining.asked == ["open_questions"]
    traces.run(COSTLY, purpose="ablation")  # nothing of an ablation is mined
    assert mining.mine(traces.mined()) == [first] and mining.asked == []
    traces.run(COSTLY)
    [more] = mining.mine(traces.mined())
    assert more.occurrences == 2 and mining.asked == ["cost_share"]
    traces.in_force[SIZE] = InForce("others", "code-now")
    assert mining.mine(traces.mined()) == [] and mining.asked == ["cost_share", "open_questions"]
    mined = dataclasses.replace(traces.mined(), mining_ends_ns={DATA: 1})
    assert mining.mine(mined) == [] and mining.asked == ["cost_share", "open_questions"]


def test_a_question_that_fails_stops_nobody_else(traces: Traces) -> None:
    class Wrong(CostShare):
        def mine(self, traces: Mined) -> list[Finding]:
            traces.sql("SELECT nothing FROM nowhere")
            return []

    mining = Mining((Wrong(name="wrong"), CostShare()))
    traces.run(COSTLY)
    assert [f.miner for f in mining.mine(traces.mined())] == ["cost_share"]
    assert len(mining.notes) == 1 and mining.notes[0].startswith("miner wrong could not ask:")
    mining.mine(traces.mined())
    assert mining.asked == ["wrong"]  # it may be mended


# --- what humans turned down --------------------------------------------------------------------------------


def review(traces: Traces, name: str, old: float, new: float, *words: str, setting: str = "no_trade_band") -> None:
    traces.events += [
        AblationStarted(
            ablation_id=name, module=SIZE, patch={setting: Change(old=old, new=new), "word": Change(old="a", new="b")},
            suite="s", suite_digest="d",
        ),
        ReviewOpened(branch=f"supervisor/{name}", ablation_id=name, commit="c"),
    ]  # fmt: skip
    for said in words:
        branch = f"supervisor/{name}"
        traces.events.append(
            ReviewApproved(branch=branch, by="Ada", merge_commit="m")
            if said == "yes"
            else ReviewRejected(branch=branch, by="Ada", reason=said)
        )


def test_a_lever_that_was_turned_down_is_gone(traces: Traces) -> None:
    traces.run(COSTLY)
    review(traces, "a", 0.0, 0.04, "hides the signal")
    review(traces, "b", 1.0, 5.0, "no", "yes", setting="smoothing_bars")  # approved at last
    [rejected] = rejections(traces.mined())
    assert (rejected.setting, rejected.direction, rejected.old) == ("no_trade_band", "raise", 0.0)
    traces.in_force[SIZE] = InForce("settings-now", "code-now", {"no_trade_band": 0.0, "smoothing_bars": 1})
    [finding] = Mining((CostShare(),)).mine(traces.mined())
    assert finding.levers == (Lever("smoothing_bars", "raise"),)
    assert "Ada turned down +no_trade_band: hides the signal" in finding.statement
    assert finding.event().levers == ("+smoothing_bars",)
    traces.in_force[SIZE] = InForce("settings-now", "code-now", {"no_trade_band": 0.01})
    [freed] = Mining((CostShare(),)).mine(traces.mined())
    assert len(freed.levers) == 2 and "turned down" not in freed.statement


def test_the_other_way_and_another_module_are_free(traces: Traces) -> None:
    review(traces, "a", 0.02, 0.01, "no")
    traces.in_force = {n: InForce("settings-now", "code-now", {"no_trade_band": 0.02}) for n in IN_FORCE}
    up, down = Lever("no_trade_band", "raise"), Lever("no_trade_band", "lower")
    findings = [Finding("m", module, "p", "s", 1.0, "u", 1, (), (up, down)) for module in (SIZE, "execute/next_bar")]
    assert [f.levers for f in heed(findings, traces.mined())] == [(up,), (up, down)]


# --- claims --------------------------------------------------------------------------------------------------


def test_every_finding_claims_something_that_can_be_refuted(traces: Traces) -> None:
    traces.run({"execute": {**COSTLY["execute"], "orders": 10.0, "rejected": 5.0}})
    [cost], [cuts] = CostShare().mine(traces.mined()), RiskCuts().mine(traces.mined())
    assert (cost.claimed.metric, cost.claimed.direction, cost.claimed.over) == ("total_cost_usd", "lower", "runs")
    claimed = cuts.event().claim
    assert claimed is not None and (claimed.metric, claimed.over) == (cuts.unit, "finding")
    assert claimed.least == pytest.approx(0.1 * cuts.size)


# --- speed ----------------------------------------------------------------------------------------------------


def one_run() -> list[Event]:
    """Eight events, as a run leaves them."""
    started = RunStarted(
        run_id="run-######", task_digest="task", data="us20", data_digest=DATA, signal="rank(close)",
        start="1990-01-02", end="2002-01-01", seed=0, modules=NAMES, purpose="run",
    )  # fmt: skip
    stages = [
        StageFinished(
            run_id="run-######", stage=stage, module=name, code_digest="code-now", settings_digest="settings-now",
            settings={"a": 1, "b": 0.5}, inputs={"bars": "a" * 64}, outputs={"x": "b" * 64}, seconds=0.5, cached=False,
            metrics={f"metric_{k}": k / 7 for k in range(20)},
        )
        for stage, name in {"ingest": "sample", **NAMES}.items()
    ]  # fmt: skip
    done = RunFinished(run_id="run-######", digest="e" * 64, metrics={"net_sharpe": 0.5}, seconds=3.0)
    return [started, *stages, done]


def long_ledger(folder: Path, runs: int) -> int:
    """A log of `runs` runs, one in five a researcher's and the others an ablation's, chained as the ledger chains it
    (which syncs and signs as well, and takes half a minute for so many); the number of its events."""
    made = [canonical_json(event) for event in one_run()]
    head, lines = GENESIS, []
    for i in range(runs):
        for text in made:
            event = text.replace("run-######", f"run-{i:06d}").replace('"task"', f'"t{i % 200}"')
            event = event if i % 5 == 0 else event.replace('"purpose":"run"', '"purpose":"ablation"')
            line = f'{{"event":{event},"prev":"{head}","seq":{len(lines)},"ts_ns":{i}}}'.encode()
            head = hash_line(line)
            lines.append(line + b"\n")
    folder.mkdir()
    (folder / LOG_NAME).write_bytes(b"".join(lines))
    return len(lines)


@pytest.mark.slow
def test_a_hundred_thousand_events_are_asked_of_once(tmp_path: Path) -> None:
    assert long_ledger(tmp_path / "ledger", 12_500) == 100_000
    mining, tables = Mining(), Tables(tmp_path / "ledger", MINED_PURPOSES)

    def mine() -> list[Finding]:
        return mining.mine(Mined(tmp_path / "ledger", {DATA: MINING_END_NS}, IN_FORCE, frozenset(), tables))

    first = mine()
    assert {f.miner for f in first} == {"repeated_work", "cache_misses"} and len(mining.asked) == len(MINERS)
    assert mine() == first and mining.asked == []
