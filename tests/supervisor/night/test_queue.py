"""What could be done tonight, and when each thing is due.

Invariants:
1. A module at fault has an arm for each proposer that a finding calls, due two weeks after the first sight of it, or
   after the module was last on trial.
2. Where nothing was found: an arm at any time for what was never looked at, else once it is due.
3. A module whose patch awaits review has no arm.
"""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.finding import Finding, Lever
from supervisor.history import History
from supervisor.night.bandit import Arm
from supervisor.night.deadlines import DAY_NS, Deadlines, Due
from supervisor.night.memory import Memory
from supervisor.night.queue import queue
from tests.supervisor.night.test_memory import judged, night, of
from traces.events import AblationStarted, Change

SIZE = "size/rank_neutral"


def finding(module: str = SIZE) -> Finding:
    return Finding("m", module, "p", "s", 1.0, "u", 1, ("r",), (Lever("no_trade_band", "raise"),))


def arms(memory: Memory, history: History | None = None, **given: object) -> dict[Arm, int]:
    asked: dict[str, object] = {"searchable": (), "retirable": (), "markets": {}, **given}
    found: Mapping[str, list[Finding]] = asked.pop("found", {})  # type: ignore[assignment]
    made: tuple[Due, ...] = queue(
        found,
        ["rules", "search"],
        memory=memory,
        history=history or History([]),
        deadlines=Deadlines(),
        **asked,  # type: ignore[arg-type]
    )
    assert [d.due_ns for d in made] == sorted(d.due_ns for d in made)
    return {d.arm: d.due_ns for d in made}


def test_1_findings_call_proposers() -> None:
    f = finding()
    memory = Memory(found_ns={f.finding_id: 5 * DAY_NS}, now_ns=9 * DAY_NS)
    assert arms(memory, found={SIZE: [f]}) == {Arm(SIZE, "rules"): 19 * DAY_NS, Arm(SIZE, "search"): 19 * DAY_NS}
    memory.module_ns[SIZE] = 8 * DAY_NS
    assert set(arms(memory, found={SIZE: [f]}).values()) == {22 * DAY_NS}


def test_2_looking_again() -> None:
    memory = of([night()])
    memory.tonight = memory.tonight and memory.tonight.__class__(night(), 100 * DAY_NS)
    asked = {"searchable": ["size/vol_target", "clean/quality", SIZE], "found": {SIZE: [finding()]}}
    memory.module_ns.update({"size/vol_target": 90 * DAY_NS})
    assert Arm("size/vol_target", "relook") not in arms(memory, **asked)
    assert arms(memory, **asked)[Arm("clean/quality", "relook")] == 30 * DAY_NS, (
        "never looked at: since the ledger began"
    )
    assert Arm(SIZE, "relook") not in arms(memory, **asked), "a finding calls others there"
    memory.module_ns.update({"size/vol_target": 60 * DAY_NS})
    assert arms(memory, **asked)[Arm("size/vol_target", "relook")] == 90 * DAY_NS
    memory.market_ns["d"] = 99 * DAY_NS
    assert set(arms(memory, markets={"us5": "d", "us20": "e"})) == {Arm("data/us20", "relook")}
    retire = Arm("feature/momentum", "retire")
    assert retire in arms(memory, retirable=["feature/momentum"])
    memory.arm_ns[retire] = 99 * DAY_NS
    assert retire not in arms(memory, retirable=["feature/momentum"])


def test_3_what_awaits_review_is_left_alone() -> None:
    from modules.registry import read_settings

    value = read_settings("size", "rank_neutral").model_dump()["no_trade_band"]
    change = {"no_trade_band": Change(old=value, new=value + 0.01)}
    started = AblationStarted(ablation_id="a0", module=SIZE, patch=change, suite="fast", suite_digest="x")
    memory = Memory(now_ns=1)
    assert arms(memory, History([started, judged()]), found={SIZE: [finding()]}) == {}
    assert arms(memory, History([started, judged(verdict="REJECT")]), found={SIZE: [finding()]}) != {}
    merged = started.model_copy(update={"patch": {"no_trade_band": Change(old=value - 0.01, new=value)}})
    assert arms(memory, History([merged, judged()]), found={SIZE: [finding()]}) != {}, "it is in force: the base moved"
