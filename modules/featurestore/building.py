"""Compute what is not stored yet, in slices that bound memory, and commit it as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from modules.featurestore.availability import Measured, Reach, known_at
from modules.featurestore.identity import Wanted, wanted
from modules.featurestore.store import Computed, FeatureStore, Written
from modules.panel import FloatArray, IntArray
from modules.signal import Node, SignalError, evaluate, evaluate_all

SLICE_BYTES = 256 << 20
"""Values held at once. What a slice has in common is computed once, so larger slices are faster."""


@dataclass(frozen=True)
class Built:
    """What a build did. `refused` maps features that these bars do not allow to the reason."""

    written: Written
    refused: Mapping[str, str]


@dataclass
class _Work:
    measured: Measured
    nodes: Mapping[Wanted, Node]
    refused: dict[str, str] = field(default_factory=dict)

    def run(self) -> Iterator[Computed]:
        bars = self.measured.bars
        count = max(1, SLICE_BYTES // max(1, 8 * bars.shape[0] * bars.shape[1]))
        asked = list(self.nodes)
        times: dict[Reach, IntArray] = {}
        for start in range(0, len(asked), count):
            for item, values in self._slice(asked[start : start + count]):
                yield Computed(item, values, known_at(self.nodes[item], self.measured.available, times))

    def _slice(self, asked: Sequence[Wanted]) -> Iterator[tuple[Wanted, FloatArray]]:
        """One evaluation for all; where the bars do not allow one of them, each by itself."""
        bars = self.measured.bars
        try:
            values = evaluate_all([self.nodes[w] for w in asked], bars)
        except SignalError:
            for item in asked:
                try:
                    alone = evaluate(self.nodes[item], bars)
                except SignalError as error:
                    self.refused[item.feature] = str(error)
                else:
                    yield item, alone
        else:
            yield from zip(asked, values, strict=True)


def build(store: FeatureStore, measured: Measured, features: Mapping[str, Node]) -> Built:
    """Store `features` (`name@version` to signal) of these bars; what is there is not computed again.

    Raises FeatureStoreError.
    """
    nodes = {wanted(name, node): node for name, node in features.items()}
    missing = set(store.missing(measured.source, nodes))
    work = _Work(measured, {w: n for w, n in nodes.items() if w in missing})
    written = store.write(measured.source, measured.bars, work.run())
    there = tuple(w for w in nodes if w not in missing)
    return Built(Written(written.new, (*there, *written.there), written.files, written.version), work.refused)
