"""Ask every miner, but only again where something that it reads has changed since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from modules.canonical import digest_json
from supervisor.finding import Finding, Miner
from supervisor.heeding import heed
from supervisor.mined import Mined
from supervisor.miners import MINERS
from traces.query import QueryError


@dataclass
class Mining:
    """Findings, kept from pass to pass. Holds one list a miner: what it takes grows with findings, not with traces."""

    miners: Sequence[Miner] = MINERS
    notes: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Miners that were asked at the last pass."""
    _seen: dict[str, str] = field(default_factory=dict)
    _found: dict[str, list[Finding]] = field(default_factory=dict)

    def mine(self, traces: Mined, progress: Callable[[str], None] = lambda _: None) -> list[Finding]:
        """Every finding as of now, in the order of the miners, without the levers that humans turned down.

        A miner whose question fails is noted and left out: the others go on.
        """
        self.notes, self.asked = [], []
        now = _in_force(traces)
        for miner in self.miners:
            state = digest_json([now, {kind: traces.counts.get(kind, 0) for kind in sorted(miner.reads)}])
            if self._seen.get(miner.name) == state:
                continue
            progress(f"mining: {miner.name}")
            self.asked.append(miner.name)
            try:
                self._found[miner.name] = miner.mine(traces)
                self._seen[miner.name] = state
            except QueryError as error:
                self._found[miner.name] = []
                self.notes.append(f"miner {miner.name} could not ask: {error}")
        return heed((finding for miner in self.miners for finding in self._found[miner.name]), traces)


def _in_force(traces: Mined) -> str:
    """Changes with what may be mined, and with what is in force."""
    modules = {name: [m.settings_digest, m.code_digest] for name, m in traces.modules.items()}
    return digest_json([modules, dict(traces.mining_ends_ns), sorted(traces.skills)])
