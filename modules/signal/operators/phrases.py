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
    "nan_if": "{x}, missing where it holds that {condition}",
    "between": "whether {x} lies from {low} to {high}",
    "square": "the square of {x}",
    "floor": "{x}, rounded down",
    "ceil": "{x}, rounded up",
    "tanh": "the hyperbolic tangent of {x}",
    "sigmoid": "the logistic function of {x}",
    "unitless": "{x} as a plain number",
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
    "ts_quantile": "the {level} quantile of {window:bars} of {x}",
    "ts_mad": "the {window}-bar mean absolute deviation of {x}",
    "decay_linear": "the {window}-bar mean, newer bars heavier, of {x}",
    "ts_slope": "the slope per bar of a line through {window:bars} of {x}",
    "ts_rsquare": "how well, 0 to 1, a line fits {window:bars} of {x}",
    "ts_resid": "how far {x} stands from its line through {window:bars}",
    "ts_cov": "the {window}-bar covariance of {x} and {y}",
    "ts_corr": "the {window}-bar correlation of {x} and {y}",
    "ts_beta": "the {window}-bar slope of {y} on {x}",
    "ts_autocorr": "the {window}-bar autocorrelation, {lag:bars} apart, of {x}",
    "count_true": "the number among {window:bars} on which it holds that {x}",
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
_WITHIN = {
    "rank_gauss": "the normal score of the rank among all symbols of {x}",
    "minmax": "the place between the lowest and the highest of all symbols, 0 to 1, of {x}",
    "mad_clip": "{x}, held within {width} median absolute deviations of the median of all symbols",
    "top": "whether the symbol is among the highest {share} of all by {x}",
    "bottom": "whether the symbol is among the lowest {share} of all by {x}",
    "cs_mean": "the mean over all symbols of {x}",
    "cs_median": "the median over all symbols of {x}",
    "cs_std": "the standard deviation over all symbols of {x}",
    "cs_count": "the number of symbols that have {x}",
    "cs_weighted_mean": "the mean over all symbols of {x}, weighted by {weight}",
    "neutralize": "{x}, less the mean of its {group}",
    "group_rank": "the rank within its {group}, 0 to 1, of {x}",
    "group_zscore": "the standard score within its {group} of {x}",
    "group_scale": "{x}, scaled so that all sizes in its {group} add up to 1",
    "group_mean": "the mean within the {group} of {x}",
    "group_median": "the median within the {group} of {x}",
    "group_count": "the number of symbols in the {group} that have {x}",
    "regress_out": "what is left of {y} after a regression across symbols on {x1}[ and {x2}][ and {x3}]",
    "vector_neutral": "what is left of {x} across symbols after its projection on {y}",
}
_INDICATORS = {
    "rsi": "the {window}-bar relative strength index of {x}",
    "atr": "the {window}-bar average true range",
    "bollinger": "where {x} stands between bands of {width} standard deviations around its mean of {window:bars}",
    "stochastic": "where the close stands in the range of {window:bars}, from 0 to 1",
    "parkinson": "the {window}-bar volatility from highs and lows",
}

_CHARTS = {
    "rsi_wilder": "Wilder's {window}-bar relative strength index of {x}",
    "stoch_rsi": "where Wilder's {window}-bar relative strength index of {x} stands in its range of {span} "
    "values, 0 to 1",
    "cci": "the {window}-bar commodity channel index",
    "williams_r": "where the close stands below the high of {window:bars}, from -100 to 0",
    "stochastic_d": "the mean of {smooth} values of where the close stands in the range of {window:bars}",
    "ultimate_oscillator": "the buying pressure over {short}, {middle} and {long:bars}, from 0 to 100",
    "cmo": "the balance of gains and losses of {x} over {window:bars}, from -100 to 100",
    "trix": "the percent change of the triple {window}-bar exponential mean of {x}",
    "macd": "the {fast}-bar less the {slow}-bar exponential mean of {x}",
    "macd_signal": "the {signal}-bar exponential mean of the {fast}-bar less the {slow}-bar exponential mean of {x}",
    "macd_hist": "how far the {fast}-bar less the {slow}-bar exponential mean of {x} stands above its own mean of "
    "{signal:bars}",
    "ppo": "the {fast}-bar less the {slow}-bar exponential mean of {x}, in percent of the slower",
    "dpo": "how far {x}, half of {window:bars} ago, stood above the mean that ends now",
    "balance_of_power": "the move from open to close over the range of the bar",
    "awesome": "the {fast}-bar less the {slow}-bar mean of the middle of the bar",
    "plus_di": "the share of upward moves in the true ranges of {window:bars}, in percent",
    "minus_di": "the share of downward moves in the true ranges of {window:bars}, in percent",
    "adx": "the strength of the trend, Wilder's {window}-bar index",
    "aroon_up": "how new the high of {window:bars} is, 100 for now",
    "aroon_down": "how new the low of {window:bars} is, 100 for now",
    "aroon": "how much newer the high of {window:bars} is than the low, from -100 to 100",
    "vortex": "the upward less the downward vortex of {window:bars}",
    "psar": "Wilder's parabolic stop, its acceleration in steps of {step} up to {limit}",
    "ichimoku_conversion": "the middle of the {window}-bar range",
    "ichimoku_base": "the middle of the {window}-bar range",
    "ichimoku_span_a": "the mean of the middles of the {conversion}-bar and {base}-bar ranges, {displacement:bars} ago",
    "ichimoku_span_b": "the middle of the {window}-bar range, {displacement:bars} ago",
    "supertrend": "the supertrend line, {width} average true ranges of {window:bars} off the middle of the bar",
    "atr_wilder": "Wilder's {window}-bar average true range",
    "natr": "Wilder's {window}-bar average true range in percent of the close",
    "bollinger_width": "the distance between bands of {width} standard deviations of {x} over {window:bars}, "
    "over its mean",
    "keltner": "where the close stands between bands of {width} average true ranges around its exponential mean of "
    "{window:bars}",
    "donchian_high": "the high of {window:bars}",
    "donchian_low": "the low of {window:bars}",
    "donchian": "where the close stands in the range of {window:bars}, from -1 to 1",
    "chandelier": "the high of {window:bars} less {width} average true ranges",
    "obv": "the volume of rises less that of falls, over {window:bars}",
    "vwap": "the {window}-bar mean price, each bar as heavy as its volume",
    "mfi": "the share of rises in the money that moved over {window:bars}, from 0 to 100",
    "cmf": "the {window}-bar money flow over volume",
    "chaikin_oscillator": "the {fast}-bar less the {slow}-bar exponential mean of the accumulated money flow",
    "force_index": "the {window}-bar exponential mean of the close's change times volume",
    "ease_of_movement": "the {window}-bar mean of how far the bar moved for its volume",
    "price_volume_trend": "the {window}-bar sum of volume times the close's return",
    "pvo": "the {fast}-bar less the {slow}-bar exponential mean of volume, in percent of the slower",
}

_AVERAGES = {
    "wma": "the {window}-bar mean, newer bars heavier, of {x}",
    "hma": "the {window}-bar Hull average of {x}",
    "trima": "the {window}-bar triangular mean of {x}",
    "alma": "the {window}-bar mean, under a bell at {offset} of the window and {sigma} times narrower, of {x}",
    "vwma": "the {window}-bar mean of {x}, weighted by {volume}",
    "ts_decay_exp": "the {window}-bar mean, each bar back {factor} times as heavy as the next, of {x}",
    "rma": "the {window}-bar mean of {x} in Wilder's smoothing",
    "dema": "the {span}-bar double exponential mean of {x}",
    "tema": "the {span}-bar triple exponential mean of {x}",
    "kama": "the mean, over {slow} bars or down to {fast} the straighter its way of {window:bars}, of {x}",
}
_SPREADS = {
    "ts_product": "the {window}-bar product of {x}",
    "ts_range": "the {window}-bar high less the {window}-bar low of {x}",
    "ts_minmax": "the place between its {window}-bar low and high, 0 to 1, of {x}",
    "ts_iqr": "the {window}-bar interquartile range of {x}",
    "ts_rms": "the {window}-bar root mean square of {x}",
    "ts_semi_std": "the {window}-bar deviation below {level} of {x}",
    "ts_tstat": "the t-statistic of the {window}-bar mean of {x}",
    "ts_drawdown": "how far {x} is below its {window}-bar high, as a share",
    "ts_max_drawdown": "the deepest fall of {x} from a high within {window:bars}, as a share",
    "ts_spearman": "the {window}-bar rank correlation of {x} and {y}",
    "ts_coskew": "the {window}-bar coskewness of {x} with {y}",
    "ts_beta_resid": "how far {y} stands from its {window}-bar line on {x}",
    "ts_resid_std": "the {window}-bar deviation of {y} about its line on {x}",
}
_INFORMATION = {
    "ts_entropy": "the entropy, in {bins} bins, of {window:bars} of {x}",
    "ts_efficiency": "the net change over the way it went, 0 to 1, in {window:bars} of {x}",
    "ts_hurst": "the {window}-bar Hurst exponent of {x}",
    "ts_variance_ratio": "the {window}-bar variance ratio, {lag}-bar to one-bar changes, of {x}",
    "ts_partial_autocorr": "the {window}-bar partial autocorrelation, {lag:bars} apart, of {x}",
}
_MISSING = {
    "fill_value": "{x}, or {value} where that is missing",
    "ts_last": "the newest present value of {x} within {window:bars}",
    "count_present": "the bars of {window:bars} on which {x} is present",
    "bars_missing": "the bars of {window:bars} on which {x} is missing",
    "ts_mean_present": "the {window}-bar mean, of at least {least} that are present, of {x}",
}
_VOLATILITY = {
    "garman_klass": "the {window}-bar Garman-Klass volatility",
    "rogers_satchell": "the {window}-bar Rogers-Satchell volatility",
    "yang_zhang": "the {window}-bar Yang-Zhang volatility",
    "amihud": "the {window}-bar mean of the size of returns per money traded",
    "kyle_lambda": "the {window}-bar return per unit of currency that flowed in",
    "roll_spread": "the spread that {window:bars} of returns imply by their reversal",
    "corwin_schultz": "the spread that {window:bars} of highs and lows imply (Corwin and Schultz)",
    "abdi_ranaldo": "the spread that {window:bars} of highs, lows and closes imply (Abdi and Ranaldo)",
}

PHRASES: Mapping[str, str] = MappingProxyType(
    _CELLS
    | _TIME
    | _AVERAGES
    | _SPREADS
    | _INFORMATION
    | _MISSING
    | _SYMBOLS
    | _WITHIN
    | _INDICATORS
    | _CHARTS
    | _VOLATILITY
)
