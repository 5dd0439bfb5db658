"""A family of features as one signal: the mean of what its members say, as one tree of the language.

One tree, because a tree can be proven free of look-ahead, streamed, digested and printed like any signal.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from modules.contract import Context, Violation
from modules.feature.contract import Inputs, Outputs
from modules.feature.evaluation import accept_signal, run_signal
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings
from modules.panel import Panel
from modules.signal import Call, Field, Node, Number, SignalError, fields_of

_ROUNDING = 1e-9


def run_family(inputs: Inputs, settings: FamilySettings, context: Context) -> Outputs:
    """`signal_of(settings)` on bars and groups. Raises SignalError where they lack a field that a member reads."""
    return run_family_on(inputs.panel, settings, context)


def run_family_on(panel: Panel, settings: FamilySettings, context: Context) -> Outputs:
    """As `run_family`, for a family that reads more: `panel` holds every field that its members name."""
    check_members(settings.rows(), panel)
    if settings.neutralize != "none" and settings.neutralize not in panel:
        raise SignalError(
            f"neutralize is {settings.neutralize}, which the data do not name for any symbol; set it to none"
        )
    outputs = run_signal(signal_of(settings), panel, context)
    return dataclasses.replace(outputs, metrics={**outputs.metrics, "members": float(len(settings.members))})


def accept_family(inputs: Inputs, outputs: Outputs, settings: FamilySettings) -> list[Violation]:
    """Every rule that the signal breaks; the same rules as for a signal of one's own."""
    return accept_signal(signal_of(settings), inputs.panel, outputs.signal)


def check_members(rows: Sequence[Feature], panel: Panel) -> None:
    """Raises SignalError naming the members whose fields the panel lacks: none is dropped in silence."""
    lacking = {row.reference: fields_of(row.node) - set(panel.fields) for row in rows}
    without = [reference for reference, fields in lacking.items() if fields]
    if without:
        fields = sorted(set().union(*lacking.values()))
        raise SignalError(
            f"members {', '.join(without)} read {', '.join(fields)}, which the data lack (they have "
            f"{', '.join(sorted(panel.fields))}); leave these members out or choose data with those fields"
        )


def signal_of(settings: FamilySettings) -> Node:
    """Mean over members of sign * normalize(winsorize(member)), less its sector's mean where the settings say so, then
    smoothed. A sign of 0 counts as 1."""
    voices = [_voice(row, settings) for row in settings.rows()]
    node = _mean(voices, settings.least_present)
    if settings.neutralize != "none":
        node = Call("neutralize", (node, Field(settings.neutralize)))
    return node if settings.smoothing_bars == 1 else Call("ts_mean", (node,), (settings.smoothing_bars,))


def _voice(row: Feature, settings: FamilySettings) -> Node:
    """What one member says: comparable with the others, higher = rather held, 0 = nothing."""
    node = row.node
    if settings.winsor_limit > 0.0:
        node = Call("winsorize", (node,), (settings.winsor_limit,))
    if settings.normalize == "rank":
        node = Call("sub", (Call("rank", (node,)), Number(0.5)))
    else:
        node = Call("zscore", (node,))
    return Call("neg", (node,)) if row.sign < 0 else node


def _mean(voices: Sequence[Node], least_present: float) -> Node:
    """Mean of the voices; where fewer than the share `least_present` of them have a value, there is none."""
    count = len(voices)
    if count == 1:
        return voices[0]
    absent = count - math.ceil(least_present * count - _ROUNDING)
    if absent == 0:
        return Call("div", (_sum(voices), Number(float(count))))
    total = _sum([Call("coalesce", (v, Number(0.0))) for v in voices])
    missing = _sum([Call("is_missing", (v,)) for v in voices])
    present = Call("sub", (Number(float(count)), missing))
    enough = Call("le", (missing, Number(float(absent))))
    # x / 0 is NaN: no value where too many are missing
    return Call("div", (total, Call("where", (enough, present, Number(0.0)))))


def _sum(terms: Sequence[Node]) -> Node:
    """A balanced tree of additions: its depth grows with the logarithm of the number of terms."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return Call("add", (_sum(terms[:half]), _sum(terms[half:])))
