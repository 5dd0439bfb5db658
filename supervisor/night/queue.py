"""What could be done tonight: an arm for each module and who may propose for it, with the moment it is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from supervisor.finding import Finding
from supervisor.history import History
from supervisor.night.bandit import Arm
from supervisor.night.deadlines import Deadlines, Due
from supervisor.night.memory import Memory
from supervisor.night.relook import MARKET, RELOOK
from supervisor.night.retire import NAME as RETIRE
from supervisor.pursuit import awaiting


def queue(
    found: Mapping[str, Sequence[Finding]],
    proposers: Sequence[str],
    *,
    searchable: Sequence[str],
    retirable: Sequence[str],
    markets: Mapping[str, str],
    memory: Memory,
    history: History,
    deadlines: Deadlines,
) -> tuple[Due, ...]:
    """Every arm of the night, sorted by deadline.

    found: findings by module that a suite judges; proposers: names of those that a finding calls; searchable: modules
    with settings to search; retirable: modules whose evidence may decay; markets: digests of data sets by name. A
    module with a patch that awaits review has no arm: its base is about to change. What was looked at since is not
    looked at again before it is due.
    """
    since = memory.began_ns or 0
    made: list[Due] = []
    for module, findings in found.items():
        first = min((memory.found_ns.get(f.finding_id, memory.now_ns) for f in findings), default=memory.now_ns)
        clock = max(first, memory.module_ns.get(module, first))
        made += [Due(Arm(module, name), deadlines.after(name, clock)) for name in proposers]
    for module in searchable:
        if module not in found:
            made += _again(Arm(module, RELOOK.name), memory.module_ns.get(module), since, memory, deadlines)
    for module in retirable:
        arm = Arm(module, RETIRE)
        made += _again(arm, memory.arm_ns.get(arm), since, memory, deadlines)
    for name, digest in markets.items():
        arm = Arm(f"{MARKET}{name}", RELOOK.name)
        made += _again(arm, memory.market_ns.get(digest), since, memory, deadlines)
    busy = {d.arm.module for d in made if awaiting(history, d.arm.module) is not None}
    return tuple(sorted((d for d in made if d.arm.module not in busy), key=lambda d: (d.due_ns, d.arm)))


def _again(arm: Arm, last_ns: int | None, since_ns: int, memory: Memory, deadlines: Deadlines) -> list[Due]:
    """A second look: at any time where there was none yet, else when it is due."""
    due_ns = deadlines.after(arm.proposer, since_ns if last_ns is None else last_ns)
    began = memory.tonight.began_ns if memory.tonight is not None else memory.now_ns
    return [Due(arm, due_ns)] if last_ns is None or due_ns <= began else []
