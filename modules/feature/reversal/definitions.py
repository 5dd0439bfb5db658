"""Losers of days and weeks come back: short-term reversal and overreaction."""

from __future__ import annotations

from modules.feature.row import Feature

_R = "returns(close, 1)"
_MARKET = "cs_mean(returns(close, 1))"

FEATURES: tuple[Feature, ...] = (
    Feature("rev_1", "returns(close, 1)", -1, "Lehmann 1990", "return of a day"),
    Feature("rev_3", "returns(close, 3)", -1, "Lehmann 1990", "return of three days"),
    Feature("rev_5", "returns(close, 5)", -1, "Lehmann 1990", "return of a week"),
    Feature("rev_10", "returns(close, 10)", -1, "Jegadeesh 1990", "return of two weeks"),
    Feature("rev_21", "returns(close, 21)", -1, "Jegadeesh 1990", "return of a month"),
    Feature(
        "rev_36m",
        "returns(delay(close, 252), 504)",
        -1,
        "De Bondt and Thaler 1985",
        "return of the two years before the last",
    ),
    Feature(
        "rev_scaled_5",
        f"returns(close, 5) / ts_std({_R}, 60)",
        -1,
        "Lehmann 1990",
        "return of a week in units of volatility",
    ),
    Feature(
        "rev_sector_5",
        "neutralize(returns(close, 5), sector)",
        -1,
        "Da, Liu and Schaumburg 2014",
        "return of a week less that of the sector",
    ),
    Feature(
        "rev_sector_21",
        "neutralize(returns(close, 21), sector)",
        -1,
        "Da, Liu and Schaumburg 2014",
        "return of a month less that of the sector",
    ),
    Feature(
        "rev_residual_21",
        f"ts_sum({_R} - ts_beta({_R}, {_MARKET}, 252) * {_MARKET}, 21) / ts_resid_std({_R}, {_MARKET}, 252)",
        -1,
        "Blitz, Huij, Lansdorp and Verbeek 2013",
        "return of a month that the market does not explain, over its deviation",
    ),
    Feature(
        "rev_volume_5",
        "returns(close, 5) * ts_mean(volume, 5) / ts_mean(volume, 60)",
        -1,
        "Campbell, Grossman and Wang 1993",
        "return of a week, the heavier the more was traded",
    ),
    Feature("rev_gap", "open / delay(close, 1) - 1", -1, "Berkman, Koch, Tuttle and Zhang 2012", "the overnight gap"),
    Feature("rev_intraday", "close / open - 1", -1, "Heston, Korajczyk and Sadka 2010", "return from open to close"),
    Feature("rev_mean_20", "close / ts_mean(close, 20) - 1", -1, "Bollinger 2001", "price against its mean of 20 bars"),
    Feature("rev_bands_20", "bollinger(close, 20)", -1, "Bollinger 2001", "place between the bands of two deviations"),
    Feature("rev_rsi_2", "rsi_wilder(close, 2)", -1, "Connors and Alvarez 2009", "relative strength of two bars"),
    Feature(
        "rev_falls_10",
        "count_true(close < delay(close, 1), 10)",
        1,
        "Connors and Alvarez 2009",
        "falling days of the last ten",
    ),
    Feature(
        "rev_max_5",
        "ts_max(returns(close, 1), 5)",
        -1,
        "Bali, Cakici and Whitelaw 2011",
        "largest daily gain of a week",
    ),
)
