"""Short sketches of how signals order the reference market, so that a candidate meets hundreds of known ones at once.

A sketch is 256 random sums of a signal's ranks (Johnson and Lindenstrauss 1984). The angle between two sketches tells
the similarity of the signals to about 0.06: enough to say who may be near, never to say how near. Whole numbers and
correctly rounded roots only: the same sketch on every machine.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modules.panel import FloatArray
from modules.signal.behaviour import Behaviour

FILE = Path(__file__).with_name("sketches.json")
SIZE = 256
_SEED = 7
_UNIT = 1_000
_STEPS = 32.0

Sketch = NDArray[np.int8]


def sketch(behaviour: Behaviour) -> Sketch:
    """`[256]`; all zero for a signal that never tells two symbols apart."""
    ranks = behaviour.ranks
    present = ~np.isnan(ranks)
    count = present.sum(axis=1, keepdims=True) - 1
    halves = np.where(present, np.rint(np.nan_to_num(ranks) * 2.0 * count) - count, 0.0)
    length = np.sqrt((halves.astype(np.int64) ** 2).sum(axis=1, keepdims=True).astype(np.float64))
    told = length[:, 0] > 0.0
    if not told.any():
        return np.zeros(SIZE, dtype=np.int8)
    unit = np.rint(_UNIT * halves[told] / length[told]).astype(np.int64)
    sums = unit.reshape(-1) @ _signs(ranks.shape[0], ranks.shape[1])[np.repeat(told, ranks.shape[1])]
    scaled = np.rint(_STEPS * sums / (_UNIT * np.sqrt(float(told.sum()))))
    made: Sketch = np.clip(scaled, -127, 127).astype(np.int8)
    return made


def near(one: Sketch, others: Sequence[Sketch]) -> FloatArray:
    """`[len(others)]` estimates of the behavioural similarity, in [0, 1]; 0 beside an empty sketch."""
    if not others:
        return np.empty(0)
    rows = np.stack(others).astype(np.int64)
    mine = one.astype(np.int64)
    size = np.sqrt((rows**2).sum(axis=1) * float((mine**2).sum()))
    found: FloatArray = np.abs(np.divide(rows @ mine, size, out=np.zeros(len(others)), where=size > 0))
    return found


@functools.cache
def shipped() -> Mapping[str, Sketch]:
    """Digest of a signal to its sketch, as `python -m harness.novelty.calibrate` wrote them."""
    table: dict[str, str] = json.loads(FILE.read_text())["sketches"]
    return {digest: np.frombuffer(base64.b64decode(text), dtype=np.int8) for digest, text in table.items()}


def written(sketches: Mapping[str, Sketch]) -> str:
    """The text of the file for these sketches."""
    rows = {digest: base64.b64encode(one.tobytes()).decode() for digest, one in sorted(sketches.items())}
    return json.dumps({"sketches": rows}, indent=0) + "\n"


@functools.lru_cache(maxsize=2)
def _signs(rows: int, symbols: int) -> NDArray[np.int64]:
    rng = np.random.Generator(np.random.PCG64(_SEED))
    signs: NDArray[np.int64] = 2 * rng.integers(0, 2, (rows * symbols, SIZE)) - 1
    return signs
