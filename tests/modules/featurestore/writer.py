"""A process that writes to a store: `python -m tests.modules.featurestore.writer ROOT FIRST COUNT`.

Writes COUNT made-up features of the made bars, one commit each, from number FIRST on, and says which are done.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from modules.featurestore import Computed, FeatureStore, Wanted
from modules.panel import FloatArray
from tests.modules.featurestore.made import made, made_bars

ROWS = 8_000
"""Three decades, so that a commit is of three files."""


def numbered(number: int) -> Wanted:
    """The feature of that number."""
    return Wanted(f"F{number}@1", f"{number:064x}")


def values_of(number: int, rows: int = ROWS) -> FloatArray:
    """Its values."""
    return np.random.default_rng(number).normal(size=(rows, 3))


def write(root: Path, number: int) -> int:
    """Commit one feature; the version."""
    of = made(made_bars(ROWS))
    item = Computed(numbered(number), values_of(number), of.available)
    return FeatureStore(root).write(of.source, of.bars, [item]).version


def main(root: str, first: str, count: str) -> None:
    """Write, one after another."""
    print("ready", flush=True)
    for number in range(int(first), int(first) + int(count)):
        write(Path(root), number)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
