"""What must hold of any signal: it is there, it tells symbols apart, and it does not read the future."""

from __future__ import annotations

import numpy as np

from modules.contract import Violation
from modules.feature.expression.contract import Inputs, Outputs
from modules.feature.expression.settings import Settings
from modules.signal import parse, warmup
from modules.signal.measure import coverage, tells_apart
from modules.signal.prove import sample_rows, truncation_difference

# Not settings: a patch may change how a signal is made, never what counts as one.
MINIMUM_COVERAGE = 0.5
CUTS = 3


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    bars, signal = inputs.bars, outputs.signal
    if signal.symbols != bars.symbols or not np.array_equal(signal.ts, bars.ts):
        return [Violation("signal", "must stand on the rows and symbols of the bars", signal.shape[0])]
    node = parse(settings.expr)
    values = signal["signal"]
    found = []
    share = coverage(values, bars["close"], warmup(node))
    if share < MINIMUM_COVERAGE:
        missing = int(np.count_nonzero(np.isnan(values)))
        rule = (
            f"has a value in {share:.1%} of the cells after its warm-up, at least {MINIMUM_COVERAGE:.0%} are needed; "
            "bridge gaps with ffill_limit(x, bars) or choose fields that the data have"
        )
        found.append(Violation("signal", rule, missing))
    if len(bars.symbols) > 1 and not np.any(tells_apart(values) == 1.0):
        rule = "is the same for all symbols in every row; nothing can be chosen by it"
        found.append(Violation("signal", rule, bars.shape[0]))
    cuts = sample_rows(bars.shape[0], warmup(node), seed=0, samples=CUTS)
    ahead = truncation_difference(node, bars, values, cuts)
    if ahead is not None:
        cell = f"{ahead.ts} {ahead.symbol} = {ahead.batch!r}, without later bars {ahead.other!r}"
        found.append(Violation("signal", "reads the future: it changes when later bars are taken away", 1, (cell,)))
    return found
