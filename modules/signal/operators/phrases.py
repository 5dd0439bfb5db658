"""Each operator in words, for `cws signal explain`.

Places: `{x}` an input, `{level}` a number, `{window:bars}` a number with "bar" or "bars" behind it. What stands in
[brackets] is left out where an input in it is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_CELLS = {
    "add": "{x} + {y}",
    "sub": "{x} - {y}",
    "mul": "{x} * {y}",
    "div": "{x} / {y}",
    "neg": "minus {x}",
    "power": "{x} to the power {exponent}",
    "abs": "the size of {x}",
    "log": "the logarithm of {x}",
    "exp": "e to the power of {x}",
    "sqrt": "the square root of {x}",
    "sign": "the sign of {x}",
    "signed_power": "{x} to the power {exponent}, its sign kept",
    "gt": "whether {x} is above {y}",
    "lt": "whether {x} is below {y}",
    "ge": "whether {x} is at least {y}",
    "le": "whether {x} is at most {y}",
    "eq": "whether {x} equals {y}",
    "ne": "whether {x} differs from {y}",
    "and": "whether both {x} and {y} hold",
    "or": "whether {x} or {y} holds",
    "not": "whether it does not hold that {x}",
    "where": "{x} where {condition} holds, else {y}",
    "clip": "{x}, held between {low} and {high}",
    "max": "the larger of {x} and {y}",
    "min": "the smaller of {x} and {y}",
    "coalesce": "{x}, or {y} where that is missing",
    "is_missing": "whether {x} is missing",
}
_TIME = {
    "delay": "{x}, {bars:bars} ago",
    "delta": "the {bars}-bar change of {x}",
    "returns": "the {bars}-bar return of {x}",
    "log_returns": "the {bars}-bar logarithmic return of {x}",
    "ts_sum": "the {window}-bar sum of {x}",
    "ts_mean": "the {window}-bar mean of {x}",
    "ts_var": "the {window}-bar variance of {x}",
    "ts_std": "the {window}-bar standard deviation of {x}",
    "ts_zscore": "the {window}-bar standard score of {x}",
    "ts_skew": "the {window}-bar skewness of {x}",
    "ts_kurt": "the {window}-bar excess kurtosis of {x}",
    "ts_min": "the {window}-bar low of {x}",
    "ts_max": "the {window}-bar high of {x}",
    "ts_argmin": "the bars since the {window}-bar low of {x}",
    "ts_argmax": "the bars since the {window}-bar high of {x}",
    "ts_rank": "the rank among its own {window:bars}, 0 to 1, of {x}",
    "ts_median": "the {window}-bar median of {x}",
    "ts_quantile": "the {window}-bar quantile of {x} at level {level}",
    "ts_mad": "the {window}-bar mean absolute deviation of {x}",
    "decay_linear": "the {window}-bar mean of {x}, the newer the heavier",
    "ts_slope": "the slope per bar of a line through {window:bars} of {x}",
    "ts_rsquare": "how well a line fits {window:bars} of {x}, from 0 to 1",
    "ts_resid": "how far {x} stands from its line through {window:bars}",
    "ts_cov": "the {window}-bar covariance of {x} and {y}",
    "ts_corr": "the {window}-bar correlation of {x} and {y}",
    "ts_beta": "the {window}-bar slope of {y} on {x}",
    "ts_autocorr": "the correlation of {x} with itself {lag:bars} before, over {window:bars}",
    "count_true": "the bars of {window:bars} on which it holds that {x}",
    "days_since": "the bars since it last held that {x}, up to {window:bars}",
    "coverage": "the share of {window:bars} on which {x} is present",
    "ffill_limit": "{x}, or its last value if at most {limit:bars} old",
    "ema": "the {span}-bar exponential mean of {x}",
}
_SYMBOLS = {
    "rank": "the rank among all symbols, 0 to 1, of {x}",
    "zscore": "the standard score among all symbols of {x}",
    "demean": "{x}, less the mean of all symbols",
    "scale": "{x}, scaled so that all sizes add up to 1",
    "winsorize": "{x}, extremes held at the {limit} and 1 - {limit} quantiles of all symbols",
    "quantile_bucket": "which of {buckets} groups of equal size the symbol falls into by {x}, 0 the lowest",
}
_INDICATORS = {
    "rsi": "the {window}-bar relative strength index of {x}",
    "atr": "the {window}-bar average true range",
    "bollinger": "where {x} stands between bands of {width} standard deviations around its mean of {window:bars}",
    "stochastic": "where the close stands in the range of {window:bars}, from 0 to 1",
    "parkinson": "the {window}-bar volatility from highs and lows",
}

PHRASES: Mapping[str, str] = MappingProxyType(_CELLS | _TIME | _SYMBOLS | _INDICATORS)
