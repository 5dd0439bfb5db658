"""What every feature module does with a tree of the language: evaluate it, describe it, and judge what came out."""

from __future__ import annotations

import numpy as np

from modules.contract import Context, Violation
from modules.feature.contract import Outputs
from modules.panel import FloatArray, Panel
from modules.signal import Node, evaluate, warmup
from modules.signal.measure import coverage, rank_autocorrelation, tells_apart
from modules.signal.prove import LEVEL_RULE, level_difference, sample_rows, truncation_difference

# Not settings: a patch may change how a signal is made, never what counts as one.
MINIMUM_COVERAGE = 0.5
CUTS = 3


def run_signal(node: Node, panel: Panel, context: Context) -> Outputs:
    """The values on every bar, warm-up included: `signal` at bar t reads rows <= t of `panel`.

    Metrics are taken from the first traded bar that can have a value. Raises SignalError where `evaluate` does.
    """
    values = evaluate(node, panel)
    first = max(warmup(node), int(np.searchsorted(panel.ts, context.start_ns)))
    metrics = {"coverage": coverage(values, panel["close"], first), "warmup_bars": float(warmup(node))}
    autocorrelation = rank_autocorrelation(values[first:])
    if autocorrelation is not None:
        metrics["rank_autocorrelation"] = autocorrelation
    level = level_difference(node, panel)
    metrics["reads_level"] = float(level is not None)
    notes = () if level is None else (f"READS THE FUTURE, PERHAPS: the signal {LEVEL_RULE}",)
    return Outputs(signal=Panel(panel.ts, panel.symbols, {"signal": values}), metrics=metrics, notes=notes)


def accept_signal(node: Node, panel: Panel, signal: Panel, expected: FloatArray | None = None) -> list[Violation]:
    """Every rule that the signal breaks: it is there, it tells symbols apart, and it does not read the future.

    `expected` `[T, N]` is NaN where no value can be asked for; without it, values are asked for wherever there is a
    close.
    """
    if signal.symbols != panel.symbols or not np.array_equal(signal.ts, panel.ts):
        return [Violation("signal", "must stand on the rows and symbols of the bars", signal.shape[0])]
    values = signal["signal"]
    found = []
    share = coverage(values, panel["close"] if expected is None else expected, warmup(node))
    if share < MINIMUM_COVERAGE:
        missing = int(np.count_nonzero(np.isnan(values)))
        rule = (
            f"has a value in {share:.1%} of the cells after its warm-up, at least {MINIMUM_COVERAGE:.0%} are needed; "
            "bridge gaps with ffill_limit(x, bars) or choose fields that the data have"
        )
        found.append(Violation("signal", rule, missing))
    if len(panel.symbols) > 1 and not np.any(tells_apart(values) == 1.0):
        rule = "is the same for all symbols in every row; nothing can be chosen by it"
        found.append(Violation("signal", rule, panel.shape[0]))
    cuts = sample_rows(panel.shape[0], warmup(node), seed=0, samples=CUTS)
    ahead = truncation_difference(node, panel, values, cuts)
    if ahead is not None:
        cell = f"{ahead.ts} {ahead.symbol} = {ahead.batch!r}, without later bars {ahead.other!r}"
        found.append(Violation("signal", "reads the future: it changes when later bars are taken away", 1, (cell,)))
    return found
