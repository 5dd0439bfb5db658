"""What is hard to trade pays for it, and unusual volume says something: liquidity and trading activity."""

from __future__ import annotations

from modules.feature.row import Feature

_R = "returns(close, 1)"
_MONEY = "close * volume"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "illiq_amihud_21",
        "amihud(close, volume, 21)",
        1,
        "Amihud 2002",
        "mean size of return per money traded, a month",
    ),
    Feature(
        "illiq_amihud_252",
        "amihud(close, volume, 252)",
        1,
        "Amihud 2002",
        "mean size of return per money traded, a year",
    ),
    Feature(
        "illiq_change",
        "log(amihud(close, volume, 21) / amihud(close, volume, 252))",
        0,
        "Amihud 2002",
        "how much harder it has become to trade",
    ),
    Feature(
        "money_20",
        f"log(ts_mean({_MONEY}, 20))",
        -1,
        "Brennan, Chordia and Subrahmanyam 1998",
        "logarithm of the money traded a day",
    ),
    Feature(
        "money_variation_252",
        f"ts_std({_MONEY}, 252) / ts_mean({_MONEY}, 252)",
        -1,
        "Chordia, Subrahmanyam and Anshuman 2001",
        "how unsteady the money traded is",
    ),
    Feature(
        "volume_variation_252",
        "ts_std(volume, 252) / ts_mean(volume, 252)",
        -1,
        "Chordia, Subrahmanyam and Anshuman 2001",
        "how unsteady volume is",
    ),
    Feature(
        "volume_surprise_20",
        "volume / ts_mean(volume, 50)",
        1,
        "Gervais, Kaniel and Mingelgrin 2001",
        "volume of the day against its mean of 50 bars",
    ),
    Feature(
        "volume_trend_5_60",
        "ts_mean(volume, 5) / ts_mean(volume, 60)",
        1,
        "Gervais, Kaniel and Mingelgrin 2001",
        "volume of a week against that of a quarter",
    ),
    Feature(
        "volume_rank_60",
        "ts_rank(volume, 60)",
        1,
        "Gervais, Kaniel and Mingelgrin 2001",
        "place of the day's volume among 60",
    ),
    Feature(
        "volume_slope_60",
        "ts_slope(volume, 60) / ts_mean(volume, 60)",
        0,
        "Lee and Swaminathan 2000",
        "growth of volume per bar",
    ),
    Feature(
        "volume_return_corr_20",
        f"ts_corr({_R}, volume, 20)",
        0,
        "Karpoff 1987",
        "whether volume goes with rises or falls",
    ),
    Feature(
        "volume_size_corr_60",
        f"ts_corr(abs({_R}), volume, 60)",
        0,
        "Karpoff 1987",
        "whether volume goes with the size of moves",
    ),
    Feature(
        "volume_momentum",
        "returns(close, 126) * ts_rank(ts_mean(volume, 21), 252)",
        0,
        "Lee and Swaminathan 2000",
        "half-year return, the heavier the busier the symbol has become",
    ),
    Feature(
        "still_days_60",
        f"ts_mean({_R} == 0, 60)",
        1,
        "Lesmond, Ogden and Trzcinka 1999",
        "share of days on which the price did not move",
    ),
    Feature("spread_roll_60", "roll_spread(close, 60)", 1, "Roll 1984", "spread from the bounce of closes"),
    Feature(
        "spread_corwin_schultz_20",
        "corwin_schultz(high, low, 20)",
        1,
        "Corwin and Schultz 2012",
        "spread from highs and lows",
    ),
    Feature(
        "spread_abdi_ranaldo_20",
        "abdi_ranaldo(high, low, close, 20)",
        1,
        "Abdi and Ranaldo 2017",
        "spread from closes and the middle of ranges",
    ),
    Feature("impact_kyle_60", "kyle_lambda(close, volume, 60)", 1, "Kyle 1985", "price move per signed volume"),
)
