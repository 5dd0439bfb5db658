"""qlib's Alpha158 features in our language, from its published expressions (`qlib.contrib.data.loader`).

Where ours differ from qlib's values, by design:

* a window that is not full yet has no value; qlib computes it on what there is;
* `VWAP0` takes the typical price (high + low + close) / 3, which bars allow, for the vwap;
* of equal highs or lows in a window, IMAX, IMIN and IMXD take the newest, qlib the oldest;
* a window that is exactly constant has no RSQR, CORR and CORD; qlib leaves out those with a deviation below 2e-5;
* where a bar has no range, a window no move or a bar no volume there is no value: qlib adds 1e-12 to such denominators,
  which makes a 0 of them or a huge number, and lets the level of prices decide between equals.
"""

from __future__ import annotations

from modules.feature.row import Feature

WINDOWS = (5, 10, 20, 30, 60)
_SOURCE = "qlib Alpha158 (Yang et al. 2020)"

_BAR = {
    "KMID": ("(close - open) / open", "body of the bar over its open"),
    "KLEN": ("(high - low) / open", "range of the bar over its open"),
    "KMID2": ("(close - open) / (high - low)", "share of the range that is body"),
    "KUP": ("(high - max(open, close)) / open", "upper shadow over the open"),
    "KUP2": ("(high - max(open, close)) / (high - low)", "share of the range that is upper shadow"),
    "KLOW": ("(min(open, close) - low) / open", "lower shadow over the open"),
    "KLOW2": ("(min(open, close) - low) / (high - low)", "share of the range that is lower shadow"),
    "KSFT": ("(2 * close - high - low) / open", "close against the middle of the range, over the open"),
    "KSFT2": ("(2 * close - high - low) / (high - low)", "place of the close in the range, -1 to 1"),
    "OPEN0": ("open / close", "open against the close"),
    "HIGH0": ("high / close", "high against the close"),
    "LOW0": ("low / close", "low against the close"),
    "VWAP0": ("(high + low + close) / 3 / close", "typical price against the close"),
}

_UP = "ts_sum(max({x} - delay({x}, 1), 0), {n})"
_DOWN = "ts_sum(max(delay({x}, 1) - {x}, 0), {n})"
_MOVED = "ts_sum(abs({x} - delay({x}, 1)), {n})"
_MONEY = "abs(close / delay(close, 1) - 1) * volume"

_OVER_WINDOWS = {
    "ROC": ("delay(close, {n}) / close", "price {n} bars ago against today's: high where it fell"),
    "MA": ("ts_mean(close, {n}) / close", "mean of {n} closes against the close"),
    "STD": ("ts_std(close, {n}) / close", "deviation of {n} closes over the close"),
    "BETA": ("ts_slope(close, {n}) / close", "slope of {n} closes over the close"),
    "RSQR": ("ts_rsquare(close, {n})", "how straight the line of {n} closes is"),
    "RESI": ("ts_resid(close, {n}) / close", "close above its line of {n} bars, over the close"),
    "MAX": ("ts_max(high, {n}) / close", "highest high of {n} bars against the close"),
    "MIN": ("ts_min(low, {n}) / close", "lowest low of {n} bars against the close"),
    "QTLU": ("ts_quantile(close, {n}, 0.8) / close", "80 % quantile of {n} closes against the close"),
    "QTLD": ("ts_quantile(close, {n}, 0.2) / close", "20 % quantile of {n} closes against the close"),
    "RANK": ("(ts_rank(close, {n}) * {n_less_1} + 1) / {n}", "rank of the close among {n}, over {n}"),
    "RSV": (
        "(close - ts_min(low, {n})) / (ts_max(high, {n}) - ts_min(low, {n}))",
        "place of the close between the lowest low and the highest high of {n} bars",
    ),
    "IMAX": ("({n} - ts_argmax(high, {n})) / {n}", "place in time of the highest high of {n} bars, 1 = today"),
    "IMIN": ("({n} - ts_argmin(low, {n})) / {n}", "place in time of the lowest low of {n} bars, 1 = today"),
    "IMXD": ("(ts_argmin(low, {n}) - ts_argmax(high, {n})) / {n}", "how much later the highest high came than the low"),
    "CORR": ("ts_corr(close, log(volume + 1), {n})", "correlation of close and log volume over {n} bars"),
    "CORD": (
        "ts_corr(close / delay(close, 1), log(volume / delay(volume, 1) + 1), {n})",
        "correlation of the changes of close and volume over {n} bars",
    ),
    "CNTP": ("ts_mean(close > delay(close, 1), {n})", "share of {n} bars that rose"),
    "CNTN": ("ts_mean(close < delay(close, 1), {n})", "share of {n} bars that fell"),
    "CNTD": (
        "ts_mean(close > delay(close, 1), {n}) - ts_mean(close < delay(close, 1), {n})",
        "share of {n} bars that rose less the share that fell",
    ),
    "SUMP": (f"{_UP} / {_MOVED}", "share of the moves of {n} bars that was upward"),
    "SUMN": (f"{_DOWN} / {_MOVED}", "share of the moves of {n} bars that was downward"),
    "SUMD": (f"({_UP} - {_DOWN}) / {_MOVED}", "upward less downward share of the moves of {n} bars"),
    "VMA": ("ts_mean(volume, {n}) / volume", "mean of {n} volumes against today's"),
    "VSTD": ("ts_std(volume, {n}) / volume", "deviation of {n} volumes against today's"),
    "WVMA": (
        f"ts_std({_MONEY}, {{n}}) / ts_mean({_MONEY}, {{n}})",
        "deviation over mean of |return| * volume in {n} bars",
    ),
    "VSUMP": (f"{_UP} / {_MOVED}", "share of the moves of volume in {n} bars that was upward"),
    "VSUMN": (f"{_DOWN} / {_MOVED}", "share of the moves of volume in {n} bars that was downward"),
    "VSUMD": (f"({_UP} - {_DOWN}) / {_MOVED}", "upward less downward share of the moves of volume in {n} bars"),
}


def _rows() -> tuple[Feature, ...]:
    """The bar's shape, then each measure over each window, in qlib's order."""
    rows = [Feature(name, expr, 0, _SOURCE, about) for name, (expr, about) in _BAR.items()]
    for name, (expr, about) in _OVER_WINDOWS.items():
        field = "volume" if name.startswith("V") else "close"
        for n in WINDOWS:
            text = expr.format(n=n, n_less_1=n - 1, x=field)
            rows.append(Feature(f"{name}{n}", text, 0, _SOURCE, about.format(n=n)))
    return tuple(rows)


FEATURES = _rows()
