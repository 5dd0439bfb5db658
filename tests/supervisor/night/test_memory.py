"""The memory of nights, folded from events.

Invariants:
1. What is paid is paid once, whatever is written again; a pull of another night, or out of turn, counts for nothing.
2. A pull that was begun and not paid is cut; the verdict that it had reached is found with it.
3. What a human turned down has gained nothing.
4. First sights, last looks and last runs are those of the ledger's clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.night.bandit import Arm, Pull
from supervisor.night.memory import Cut, Memory, replay
from traces.events import (
    AblationFinished,
    AblationStarted,
    ArmPaid,
    ArmPulled,
    Envelope,
    Event,
    FindingRecorded,
    NightFinished,
    NightStarted,
    PatchRolledBack,
    ReviewRejected,
    RunStarted,
)

SIZE = "size/rank_neutral"


def of(events: Iterable[Event]) -> Memory:
    """Event k is written at k seconds."""
    lines = (Envelope(seq=k, ts_ns=k * 10**9, prev="0" * 64, event=e) for k, e in enumerate(events))
    return replay(lines)


def night(number: int = 0, seconds: float = 600.0) -> NightStarted:
    return NightStarted(night_id=f"n{number}", number=number, seed=7, seconds=seconds, ablations=9, suite=None)


def pulled(pull: int, night: str = "n0", why: str = "drawn", module: str = SIZE) -> ArmPulled:
    return ArmPulled(night_id=night, pull=pull, module=module, proposer="rules", why=why, score=0.1, due="")  # type: ignore[arg-type]


def paid(pull: int, outcome: str = "ship", night: str = "n0", ablation: str | None = "a0") -> ArmPaid:
    gain = 0.3 if outcome == "ship" else 0.0
    return ArmPaid(
        night_id=night, pull=pull, module=SIZE, proposer="rules", outcome=outcome, gain=gain, seconds=10.0,  # type: ignore[arg-type]
        ablation_id=ablation,
    )  # fmt: skip


def judged(ablation: str = "a0", module: str = SIZE, verdict: str = "SHIP") -> AblationFinished:
    return AblationFinished(
        ablation_id=ablation, module=module, verdict=verdict, reason="", delta=0.3, lower_bound=0.1, p_value=1e-6,  # type: ignore[arg-type]
        level=1e-3, seconds=4.0,
    )  # fmt: skip


def test_1_nothing_counts_twice() -> None:
    story: list[Event] = [night(), pulled(0), paid(0), paid(0), paid(7), paid(1, night="other"), pulled(5)]
    memory = of(story)
    tonight = memory.tonight
    assert tonight is not None and tonight.paid == (paid(0),) and tonight.cut is None
    assert (tonight.next_pull, tonight.ablations, tonight.spent_s) == (1, 1, 10.0)
    assert memory.pulls == (Pull(Arm(SIZE, "rules"), 0, 0.3, 10.0, True),)


def test_1_nights_are_numbered_and_end() -> None:
    over = NightFinished(night_id="n0", reason="time", seconds=1.0, pulls=0, ablations=0, shipped=0)
    memory = of([night(), over])
    assert memory.tonight is None and memory.nights == 1
    memory = of([night(), pulled(0), paid(0, "reject"), over, night(1), pulled(0, "n1"), paid(0, night="n1")])
    assert [(p.night, p.shipped) for p in memory.pulls] == [(0, False), (1, True)] and memory.nights == 2


def test_2_a_cut_pull_is_found_with_its_verdict() -> None:
    memory = of([night(), pulled(0)])
    assert memory.tonight is not None and memory.tonight.cut == Cut(pulled(0), None)
    memory = of([night(), pulled(0), judged("other", module="clean/quality")])
    assert memory.tonight is not None and memory.tonight.cut == Cut(pulled(0), None)
    memory = of([night(), pulled(0), judged()])
    assert memory.tonight is not None and memory.tonight.cut == Cut(pulled(0), judged())
    memory = of([night(), pulled(0), judged(), paid(0)])
    assert memory.tonight is not None and memory.tonight.cut is None


def test_2_seconds_of_overdue_arms_are_told_apart() -> None:
    memory = of([night(), pulled(0, why="due"), paid(0, "nothing", ablation=None), pulled(1), paid(1)])
    assert memory.tonight is not None and (memory.tonight.due_s, memory.tonight.spent_s) == (10.0, 20.0)


def test_3_a_human_no_takes_the_gain_away() -> None:
    story: list[Event] = [night(), pulled(0), paid(0)]
    no = ReviewRejected(branch="supervisor/a0", by="Ada <a@b.c>", reason="too slow")
    assert of(story).pulls[0].shipped
    assert of([*story, no]).pulls == (Pull(Arm(SIZE, "rules"), 0, 0.0, 10.0, False),)
    back = PatchRolledBack(ablation_id="a0", branch="supervisor/a0", by="Ada", reason="decayed", merge_commit="m")
    assert not of([*story, back]).pulls[0].shipped
    other = ReviewRejected(branch="supervisor/a1", by="Ada <a@b.c>", reason="too slow")
    assert of([*story, other]).pulls[0].shipped


def test_4_clocks() -> None:
    finding = FindingRecorded(
        finding_id="f", miner="cost_share", module=SIZE, statement="s", size=1.0, occurrences=1, evidence=()
    )
    run = RunStarted(
        run_id="r", task_digest="t", data="us20", data_digest="d", signal=None, start="a", end="b", seed=0, modules={},
        purpose="run",
    )  # fmt: skip
    ablation = run.model_copy(update={"purpose": "ablation"})
    started = AblationStarted(ablation_id="a0", module=SIZE, patch={}, suite="fast", suite_digest="x")
    memory = of([night(), finding, run, ablation, finding, started])
    assert memory.found_ns == {"f": 10**9} and memory.market_ns == {"d": 2 * 10**9}
    assert memory.module_ns == {SIZE: 5 * 10**9} and (memory.began_ns, memory.now_ns) == (0, 5 * 10**9)
