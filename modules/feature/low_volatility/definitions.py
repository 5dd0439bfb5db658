"""Calm symbols earn more than their risk deserves: volatility, beta and tails."""

from __future__ import annotations

from modules.feature.row import Feature

_R = "returns(close, 1)"
_MARKET = "cs_mean(returns(close, 1))"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "vol_20", f"ts_std({_R}, 20)", -1, "Ang, Hodrick, Xing and Zhang 2006", "deviation of daily returns, a month"
    ),
    Feature(
        "vol_60", f"ts_std({_R}, 60)", -1, "Baker, Bradley and Wurgler 2011", "deviation of daily returns, a quarter"
    ),
    Feature("vol_252", f"ts_std({_R}, 252)", -1, "Blitz and van Vliet 2007", "deviation of daily returns, a year"),
    Feature(
        "vol_ewma_60", f"sqrt(ema(square({_R}), 60))", -1, "J.P. Morgan RiskMetrics 1996", "exponential volatility"
    ),
    Feature(
        "vol_idio_21",
        f"ts_resid_std({_R}, {_MARKET}, 21)",
        -1,
        "Ang, Hodrick, Xing and Zhang 2006",
        "deviation that the market does not explain, a month",
    ),
    Feature(
        "vol_idio_252",
        f"ts_resid_std({_R}, {_MARKET}, 252)",
        -1,
        "Ali, Hwang and Trombley 2003",
        "deviation that the market does not explain, a year",
    ),
    Feature("vol_down_60", f"ts_semi_std({_R}, 60)", -1, "Ang, Chen and Xing 2006", "deviation of losses"),
    Feature(
        "vol_ratio",
        f"ts_std({_R}, 20) / ts_std({_R}, 252)",
        -1,
        "Baltussen, van Bekkum and van der Grient 2018",
        "volatility of a month against that of a year",
    ),
    Feature(
        "vol_of_vol",
        f"ts_std(ts_std({_R}, 20), 126) / ts_mean(ts_std({_R}, 20), 126)",
        -1,
        "Baltussen, van Bekkum and van der Grient 2018",
        "how much the volatility itself moves",
    ),
    Feature("vol_parkinson_20", "parkinson(high, low, 20)", -1, "Parkinson 1980", "volatility from highs and lows"),
    Feature(
        "vol_garman_klass_20",
        "garman_klass(open, high, low, close, 20)",
        -1,
        "Garman and Klass 1980",
        "volatility from the four prices",
    ),
    Feature(
        "vol_rogers_satchell_20",
        "rogers_satchell(open, high, low, close, 20)",
        -1,
        "Rogers and Satchell 1991",
        "volatility from the four prices, whatever the drift",
    ),
    Feature(
        "vol_yang_zhang_20",
        "yang_zhang(open, high, low, close, 20)",
        -1,
        "Yang and Zhang 2000",
        "volatility from the four prices and the gaps",
    ),
    Feature("vol_range_20", "ts_mean((high - low) / close, 20)", -1, "Parkinson 1980", "mean range of the day"),
    Feature(
        "beta_252",
        f"ts_beta({_R}, {_MARKET}, 252)",
        -1,
        "Frazzini and Pedersen 2014",
        "slope on the mean return of all symbols, a year",
    ),
    Feature(
        "beta_60",
        f"ts_beta({_R}, {_MARKET}, 60)",
        -1,
        "Frazzini and Pedersen 2014",
        "slope on the mean return of all symbols, a quarter",
    ),
    Feature(
        "corr_market_252",
        f"ts_corr({_R}, {_MARKET}, 252)",
        -1,
        "Asness, Frazzini, Gormsen and Pedersen 2020",
        "correlation with the mean return of all symbols",
    ),
    Feature("max_21", f"ts_max({_R}, 21)", -1, "Bali, Cakici and Whitelaw 2011", "largest daily gain of a month"),
    Feature(
        "min_21",
        f"ts_min({_R}, 21)",
        1,
        "Bali, Cakici and Whitelaw 2011",
        "largest daily loss of a month, as a negative return",
    ),
    Feature(
        "tail_5pct_252",
        f"ts_quantile({_R}, 252, 0.05)",
        1,
        "Atilgan, Bali, Demirtas and Gunaydin 2020",
        "return that 5 % of days fall below: large losses go on",
    ),
    Feature("skew_60", f"ts_skew({_R}, 60)", -1, "Boyer, Mitton and Vorkink 2010", "skewness of daily returns"),
    Feature(
        "skew_252",
        f"ts_skew({_R}, 252)",
        -1,
        "Amaya, Christoffersen, Jacobs and Vasquez 2015",
        "skewness of daily returns, a year",
    ),
    Feature(
        "kurt_60",
        f"ts_kurt({_R}, 60)",
        0,
        "Amaya, Christoffersen, Jacobs and Vasquez 2015",
        "fat tails of daily returns",
    ),
    Feature(
        "coskew_252",
        f"ts_coskew({_R}, {_MARKET}, 252)",
        -1,
        "Harvey and Siddique 2000",
        "whether it falls when the market moves far",
    ),
    Feature(
        "drawdown_max_252",
        "ts_max_drawdown(close, 252)",
        0,
        "Magdon-Ismail and Atiya 2004",
        "worst fall from a high within a year",
    ),
)
