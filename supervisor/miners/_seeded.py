"""What trials on planted faults say of the cleaning modules in force."""

from __future__ import annotations

from typing import Final

from supervisor.finding import Lever

KINDS: Final = frozenset({"run.started", "stage.finished", "faults.planted"})

RULES_OF: Final = {
    "spike": ("spike", "spike_suspect"),
    "stale": ("stale_run",),
    "gap": ("gap",),
    "zero_price": ("non_positive_price",),
    "level_shift": ("spike_suspect", "mixed_adjustment"),
    "crossed": ("ohlc_order",),
    "negative_volume": ("negative_volume",),
    "weekend": ("off_calendar",),
}
"""The rules that are meant for each kind of fault."""

LOOSER: Final = {
    "spike": (
        Lever("spike_sigmas", "raise"),
        Lever("spike_min_return_bps", "raise"),
        Lever("spike_reversion_share", "raise"),
    ),
    "spike_suspect": (Lever("spike_sigmas", "raise"), Lever("spike_min_return_bps", "raise")),
    "stale_run": (Lever("stale_run_bars", "raise"),),
    "gap": (Lever("gap_min_sessions", "raise"),),
    "ohlc_order": (Lever("ohlc_tolerance_bps", "raise"),),
}
"""Settings that make a rule fire less."""

NEWEST: Final = """
SELECT f.* FROM faults_planted f
JOIN current c ON c.name = f.module AND c.code_digest = f.code_digest AND c.settings_digest = f.settings_digest
QUALIFY row_number() OVER (PARTITION BY f.module, f.data_digest, f.seed ORDER BY f.seq DESC) = 1
"""
"""The last trial of each module in force on each data set by each seed."""


def tighter(kind: str) -> tuple[Lever, ...]:
    """Settings that make the rules for a kind of fault fire more; none for shifts, which no rule is made for."""
    if kind == "level_shift":
        return ()
    looser = (lever for rule in RULES_OF.get(kind, ()) for lever in LOOSER.get(rule, ()))
    return tuple(dict.fromkeys(Lever(lever.setting, "lower") for lever in looser))
