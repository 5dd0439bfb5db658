"""The arithmetic of every operator, one Numba kernel each, named by the operator's row.

Rules that make a result the same everywhere: inputs are `[T, N]` in C order and the inner loop runs over N;
sums run oldest to newest in plain loops (no numpy reductions); `log`, `exp` and `pow` come from `math`; what is
not finite becomes NaN. A row of output depends on nothing but its own window, so a kernel called for all rows
(batch) and for the newest row (stream) is the same computation.
"""
