"""The chart indicators in their usual settings, made free of the level of prices."""

from __future__ import annotations

from modules.feature.row import Feature

FEATURES: tuple[Feature, ...] = (
    Feature("ta_rsi_14", "rsi_wilder(close, 14)", 0, "Wilder 1978", "relative strength index"),
    Feature(
        "ta_rsi_cutler_14",
        "rsi(close, 14)",
        0,
        "Cutler's form of Wilder 1978",
        "relative strength index of plain means",
    ),
    Feature(
        "ta_stoch_rsi_14", "stoch_rsi(close, 14, 14)", 0, "Chande and Kroll 1994", "place of the RSI in its own range"
    ),
    Feature("ta_cmo_14", "cmo(close, 14)", 0, "Chande and Kroll 1994", "gains less losses over their sum"),
    Feature(
        "ta_stochastic_14", "stochastic(high, low, close, 14)", 0, "Lane 1984", "place of the close in the range, %K"
    ),
    Feature("ta_stochastic_d_14", "stochastic_d(high, low, close, 14, 3)", 0, "Lane 1984", "%K smoothed, %D"),
    Feature(
        "ta_williams_r_14",
        "williams_r(high, low, close, 10)",
        0,
        "Williams 1973",
        "distance from the highest high, 10 bars",
    ),
    Feature(
        "ta_cci_20",
        "cci(high, low, close, 20)",
        0,
        "Lambert 1980",
        "typical price against its mean, in mean deviations",
    ),
    Feature(
        "ta_ultimate", "ultimate_oscillator(high, low, close)", 0, "Williams 1985", "buying pressure over three windows"
    ),
    Feature("ta_macd", "macd(close) / close", 0, "Appel 1979", "fast less slow exponential mean, over the close"),
    Feature("ta_macd_signal", "macd_signal(close) / close", 0, "Appel 1979", "the MACD's own mean, over the close"),
    Feature("ta_macd_hist", "macd_hist(close) / close", 0, "Appel 1979", "MACD less its mean, over the close"),
    Feature("ta_ppo", "ppo(close)", 0, "Appel 1979", "MACD in percent of the slow mean"),
    Feature("ta_trix_15", "trix(close, 15)", 0, "Hutson 1983", "change of a triple exponential mean"),
    Feature("ta_dpo_20", "dpo(close, 20) / close", 0, "Achelis 2000", "price less its displaced mean, over the close"),
    Feature(
        "ta_awesome", "awesome(high, low) / close", 0, "Williams 1998", "mean of 5 less 34 middles, over the close"
    ),
    Feature(
        "ta_balance_of_power_14",
        "ts_mean(balance_of_power(open, high, low, close), 14)",
        0,
        "Livshin 2001",
        "closes above opens over ranges",
    ),
    Feature("ta_adx_14", "adx(high, low, close, 14)", 0, "Wilder 1978", "strength of the trend, whichever way"),
    Feature(
        "ta_di_14",
        "plus_di(high, low, close, 14) - minus_di(high, low, close, 14)",
        0,
        "Wilder 1978",
        "upward less downward movement",
    ),
    Feature(
        "ta_adx_signed_14",
        "adx(high, low, close, 14) * sign(plus_di(high, low, close, 14) - minus_di(high, low, close, 14))",
        0,
        "Wilder 1978",
        "strength of the trend with its direction",
    ),
    Feature("ta_aroon_25", "aroon(high, low, 25)", 0, "Chande 1995", "recency of the high less that of the low"),
    Feature("ta_vortex_14", "vortex(high, low, close, 14)", 0, "Botes and Siepman 2010", "upward less downward vortex"),
    Feature("ta_psar", "close / psar(high, low) - 1", 0, "Wilder 1978", "close against the parabolic stop"),
    Feature(
        "ta_supertrend",
        "close / supertrend(high, low, close) - 1",
        0,
        "Seban 2008",
        "close against the stop of average ranges",
    ),
    Feature(
        "ta_chandelier",
        "close / chandelier(high, low, close) - 1",
        0,
        "Le Beau 1999",
        "close against the stop below the highest high",
    ),
    Feature(
        "ta_ichimoku_cross",
        "(ichimoku_conversion(high, low) - ichimoku_base(high, low)) / close",
        0,
        "Hosoda 1969",
        "conversion less base line, over the close",
    ),
    Feature(
        "ta_ichimoku_cloud",
        "close / max(ichimoku_span_a(high, low), ichimoku_span_b(high, low)) - 1",
        0,
        "Hosoda 1969",
        "close against the upper edge of the cloud",
    ),
    Feature(
        "ta_bollinger_width_20",
        "bollinger_width(close, 20)",
        0,
        "Bollinger 2001",
        "width of the bands over their middle",
    ),
    Feature(
        "ta_keltner_20", "keltner(high, low, close, 20)", 0, "Keltner 1960", "place in the channel of average ranges"
    ),
    Feature(
        "ta_donchian_20",
        "donchian(high, low, close, 20)",
        0,
        "Donchian 1960",
        "place in the channel of 20 highs and lows",
    ),
    Feature(
        "ta_donchian_55", "donchian(high, low, close, 55)", 0, "Faith 2003", "place in the channel of 55 highs and lows"
    ),
    Feature("ta_atr_14", "atr(high, low, close, 14) / close", 0, "Wilder 1978", "plain mean true range over the close"),
    Feature(
        "ta_natr_14",
        "natr(high, low, close, 14)",
        0,
        "Wilder 1978",
        "Wilder's average true range in percent of the close",
    ),
    Feature(
        "ta_obv_20",
        "obv(close, volume, 20) / ts_sum(volume, 20)",
        0,
        "Granville 1963",
        "on-balance volume of 20 bars over all volume",
    ),
    Feature(
        "ta_mfi_14",
        "mfi(high, low, close, volume, 14)",
        0,
        "Quong and Soudack 1989",
        "relative strength of money traded",
    ),
    Feature("ta_cmf_20", "cmf(high, low, close, volume, 20)", 0, "Chaikin", "place in the range weighed by volume"),
    Feature(
        "ta_chaikin_oscillator",
        "chaikin_oscillator(high, low, close, volume) / ts_mean(volume, 20)",
        0,
        "Chaikin",
        "fast less slow mean of accumulation, over volume",
    ),
    Feature(
        "ta_force_13",
        "force_index(close, volume, 13) / ts_mean(close * volume, 20)",
        0,
        "Elder 1993",
        "change times volume over the money traded",
    ),
    Feature(
        "ta_ease_14",
        "ease_of_movement(high, low, volume, 14) * ts_mean(volume, 20) / square(close)",
        0,
        "Arms 1996",
        "move of the middle per volume, made free of units",
    ),
    Feature(
        "ta_pvt_20",
        "price_volume_trend(close, volume, 20) / ts_sum(volume, 20)",
        0,
        "Achelis 2000",
        "returns weighed by volume",
    ),
    Feature("ta_pvo", "pvo(volume)", 0, "Appel 1979", "the percentage oscillator of volume"),
    Feature(
        "ta_ema_12_26", "ema(close, 12) / ema(close, 26) - 1", 0, "Appel 1979", "fast against slow exponential mean"
    ),
    Feature("ta_kama_10", "close / kama(close, 10) - 1", 0, "Kaufman 1995", "close against the adaptive mean"),
    Feature("ta_hma_20", "hma(close, 20) / delay(hma(close, 20), 5) - 1", 0, "Hull 2005", "slope of the Hull mean"),
    Feature(
        "ta_hurst_126",
        "ts_hurst(returns(close, 1), 126)",
        0,
        "Hurst 1951",
        "memory: above one half trends, below reverts",
    ),
)
