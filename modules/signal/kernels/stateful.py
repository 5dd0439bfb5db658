"""Kernels with memory. `state` is `[state_rows, N]`, zero before the first row, and plain data to a checkpoint."""

from __future__ import annotations

import math

from modules.jit import kernel
from modules.panel import FloatArray
from modules.signal.kernels.common import finite


@kernel
def ema(x: FloatArray, span: int, state: FloatArray, out: FloatArray) -> None:
    """`state[0]`: the average; `state[1]`: how many values it has seen."""
    alpha = 2.0 / (span + 1.0)
    for t in range(out.shape[0]):
        for n in range(out.shape[1]):
            v = x[t, n]
            if math.isnan(v):
                out[t, n] = math.nan
                continue
            if state[1, n] == 0.0:
                state[0, n] = v
            else:
                # a step too large to represent is dropped, so that one bad value cannot poison the rest
                stepped = finite(state[0, n] + alpha * (v - state[0, n]))
                state[0, n] = state[0, n] if math.isnan(stepped) else stepped
            state[1, n] += 1.0
            out[t, n] = state[0, n] if state[1, n] >= span else math.nan
