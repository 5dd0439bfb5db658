"""The sort that kernels of the language and of the engine share."""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.jit import kernel
from modules.panel import FloatArray, IntArray

_FEW: Final = 64
_BELOW_SIGN: Final = 0x7FFFFFFFFFFFFFFF


@kernel
def sort(values: FloatArray, order: IntArray, count: int, spare: FloatArray, spare_order: IntArray) -> None:
    """Sort the first `count` values ascending in place, carrying `order` along: stable, zeros of both signs equal (and
    positive afterwards).

    Written out because numpy's sorts take seconds to compile. By insertion where there are few values; else byte by
    byte of their bit patterns, which no order of the values can make slow. No value may be NaN.
    """
    if count <= _FEW:
        for j in range(count):
            value, index = values[j] + 0.0, order[j]
            place = j
            while place > 0 and values[place - 1] > value:
                values[place] = values[place - 1]
                order[place] = order[place - 1]
                place -= 1
            values[place] = value
            order[place] = index
        return
    keys, others = np.empty(count, np.int64), np.empty(count, np.int64)
    starts = np.zeros((8, 256), np.int64)
    for j in range(count):
        bits = np.float64(values[j] + 0.0).view(np.int64)
        bits ^= (bits >> 63) & _BELOW_SIGN  # negative numbers ascend as integers, too
        keys[j] = bits
        for byte in range(8):
            starts[byte, (bits >> (8 * byte)) & 255] += 1
    for byte in range(8):
        shift, flip = 8 * byte, 128 if byte == 7 else 0  # the sign comes last, negative before positive
        if starts[byte, (keys[0] >> shift) & 255] == count:
            continue
        total = 0
        for digit in range(256):
            here = starts[byte, digit ^ flip]
            starts[byte, digit ^ flip] = total
            total += here
        for j in range(count):
            digit = (keys[j] >> shift) & 255
            place = starts[byte, digit]
            starts[byte, digit] = place + 1
            others[place] = keys[j]
            spare[place] = values[j]
            spare_order[place] = order[j]
        for j in range(count):
            keys[j] = others[j]
            values[j] = spare[j]
            order[j] = spare_order[j]
    for j in range(count):
        values[j] += 0.0
