"""How much of its journal a desk that asks without end can fill: refusals beyond a measure are counted, as one entry.

An order that goes out is always recorded in full; how many may is a limit of the risk core.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from modules.live.messages import RefusedMany, Ruled
from modules.live.risk.rules import Rule

BURST: Final = 100
"""So many refusals are recorded in full at once, and one more for each second that passes."""
_SECOND_NS: Final = 1_000_000_000


class Refusals:
    """The measure. Times are monotonic ns."""

    def __init__(self) -> None:
        self._free_ns = BURST * _SECOND_NS
        self._seen_ns = self._told_ns = 0
        self._rules: Counter[str] = Counter()
        self._first_ns = self._last_ns = 0
        self._last_id = ""

    def is_full(self, mono_ns: int, ruled: Ruled) -> bool:
        """Whether this refusal is recorded in full; where not it is counted here."""
        self._free_ns = min(BURST * _SECOND_NS, self._free_ns + mono_ns - self._seen_ns)
        self._seen_ns = mono_ns
        if self._free_ns >= _SECOND_NS:
            self._free_ns -= _SECOND_NS
            return True
        if not self._rules:
            self._first_ns = ruled.at_ns
        self._rules[Rule(ruled.rule).name] += 1
        self._last_ns, self._last_id = ruled.at_ns, ruled.client_id
        return False

    def due(self, mono_ns: int, *, at_once: bool = False) -> RefusedMany | None:
        """What was counted, once a second."""
        if not self._rules or not (at_once or mono_ns - self._told_ns >= _SECOND_NS):
            return None
        self._told_ns = mono_ns
        rules = dict(sorted(self._rules.items()))
        return RefusedMany(sum(rules.values()), rules, self._last_id, self._first_ns, self._last_ns)

    def told(self) -> None:
        """What was due is recorded."""
        self._rules.clear()
