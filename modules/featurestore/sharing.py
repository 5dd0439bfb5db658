"""Builds of the same feature share the files of the bars that they have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modules.featurestore.log import Build, Key, State
from modules.featurestore.piece import MAX_TAIL, Block, Piece, periods_of

_BASES = 8
"""Earlier builds that are looked at, newest first."""


def matching(parts: Sequence[Piece], block: Block) -> int:
    """How many of `parts`, from the first, hold what the first rows of `block` do."""
    row = 0
    for count, part in enumerate(parts):
        if row + part.bars > block.ts.size or block.rows(row, row + part.bars).digest() != part.values:
            return count
        row += part.bars
    return len(parts)


def base_of(state: State, key: Key, block: Block) -> tuple[Build | None, int]:
    """The earlier build of the same feature and computation that shares the most, and how many of its pieces are
    kept. Of a period in many pieces none is: it is written as one again."""
    same = [
        b
        for b in reversed(list(state.builds.values()))
        if (b.key.feature, b.key.computation, b.key.data) == (key.feature, key.computation, key.data)
    ]
    best: Build | None = None
    keep = shared = 0
    for build in same[:_BASES]:
        count = matching(build.pieces, block)
        bars = sum(p.bars for p in build.pieces[:count])
        if bars > shared:  # of equals the newest: it stands on the fewest files
            best, keep, shared = build, count, bars
    if best is None:
        return None, 0
    rows = np.cumsum([p.bars for p in best.pieces[:keep]])
    if rows[-1] < block.ts.size:
        periods = periods_of(block.ts, len(block.symbols))
        tail = [i for i in range(keep) if periods[rows[i] - 1] == periods[rows[-1]]]
        keep -= len(tail) if len(tail) >= MAX_TAIL else 0
    return best, keep
