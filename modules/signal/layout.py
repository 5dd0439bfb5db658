"""What runs when, and on which buffers: a plan made ready for blocks of rows.

Steps on columns (all but cross-section steps) run on tiles, some symbols wide, in phases; between two phases stand the
cross-section steps, which need whole rows of the one and feed the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modules.signal.plan import Apply, Part, Plan, Step, Twin


@dataclass(frozen=True)
class Layout:
    """Which step runs in which phase, and where its values lie.

    `columns[p]`: the steps of phase p on columns, in order, among them what is fetched (fields, numbers, rows of
    cross-sections); `crosses[p]`: the cross-section steps after it. `history[i]`: earlier rows kept of step i. A step
    that is looked back on, or read in another phase than its own, has a buffer of its own (`kept`); any other has
    `slot[i]`, which it shares with steps whose time is over. `gathered` columns are laid out as whole rows for
    cross-section steps; `row_slot` says where these lie, and the results of cross-section steps.
    """

    plan: Plan
    columns: tuple[tuple[int, ...], ...]
    crosses: tuple[tuple[int, ...], ...]
    history: Mapping[int, int]
    kept: frozenset[int]
    slot: Mapping[int, int]
    gathered: frozenset[int]
    row_slot: Mapping[int, int]

    @property
    def longest(self) -> int:
        """Most rows before the newest that any step reads."""
        return max(self.history.values(), default=0)


def lay_out(plan: Plan) -> Layout:
    """The layout of a plan."""
    steps = plan.steps
    phase = _phases(steps)
    gathered = frozenset(i for s in steps if s.across for i in s.reads if not steps[i].across)
    at_hand: list[set[int]] = [set() for _ in steps]  # the phases in which a step's columns are read or made
    for i, step in enumerate(steps):
        if isinstance(step, Apply | Part | Twin) and not step.across:
            for j in (i, *step.reads):
                at_hand[j].add(phase[i])
    for i in (*gathered, *(o for o in plan.outputs if not steps[o].across)):
        at_hand[i].add(phase[i])
    count = 1 + max(phase, default=0)
    first = [min(phases, default=-1) for phases in at_hand]
    columns = tuple(tuple(i for i, p in enumerate(first) if p == q) for q in range(count))
    crosses = tuple(tuple(i for i, s in enumerate(steps) if s.across and phase[i] == q + 1) for q in range(count))
    history = histories(steps)
    kept = frozenset(i for i, phases in enumerate(at_hand) if len(phases) > 1 or (phases and i in history))
    slot: dict[int, int] = {}
    for order in columns:
        slot |= _shared(_column_spans(order, kept, steps))
    rows = _shared(_row_spans(columns, crosses, gathered, steps))
    return Layout(plan, columns, crosses, history, kept, slot, gathered, rows)


def histories(steps: Sequence[Step]) -> dict[int, int]:
    """Rows before the newest that must be kept of a step, for those of which any must."""
    needs: dict[int, int] = {}
    for step in steps:
        for source in step.looks_back:
            needs[source] = max(needs.get(source, 0), step.rows - 1)
    return needs


def _phases(steps: Sequence[Step]) -> list[int]:
    """The first phase in which each step's values are there; a cross-section has them one phase after its inputs."""
    phase: list[int] = []
    for step in steps:
        before = max((phase[i] for i in step.reads), default=0)
        phase.append(before + 1 if step.across else before)
    return phase


def _column_spans(order: Sequence[int], kept: frozenset[int], steps: Sequence[Step]) -> dict[int, tuple[int, int]]:
    """From where a step of a phase is computed to where it is last read, for those that share buffers."""
    last = {source: at for at, i in enumerate(order) if not steps[i].across for source in steps[i].reads}
    # a twin is filled by the step before it
    return {i: (at - isinstance(steps[i], Twin), last.get(i, at)) for at, i in enumerate(order) if i not in kept}


def _row_spans(
    columns: Sequence[Sequence[int]],
    crosses: Sequence[Sequence[int]],
    gathered: frozenset[int],
    steps: Sequence[Step],
) -> dict[int, tuple[int, int]]:
    """As `_column_spans`, for whole rows. All columns of a phase are one moment, each cross-section after it one."""
    made: dict[int, int] = {}
    read: dict[int, int] = {}
    stride = len(steps) + 1
    for p, (order, across) in enumerate(zip(columns, crosses, strict=True)):
        for i in order:
            if steps[i].across:
                read[i] = max(read.get(i, 0), p * stride)
            elif i in gathered:
                made[i] = p * stride
        for at, i in enumerate(across):
            made[i] = p * stride + 1 + at
            for source in steps[i].reads:
                read[source] = made[i]
    return {i: (begin, max(begin, read.get(i, 0))) for i, begin in made.items()}


def _shared(spans: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """A slot for each span, no two in one that overlap, ends included."""
    slot: dict[int, int] = {}
    until: list[int] = []
    for i, (begin, end) in sorted(spans.items(), key=lambda item: item[1]):
        free = next((s for s, last in enumerate(until) if last < begin), len(until))
        until[free : free + 1] = [end]
        slot[i] = free
    return slot
