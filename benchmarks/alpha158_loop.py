"""Alpha158 written out by hand: the limit that the language is held against.

The same arithmetic (pure windows, summed oldest to newest), fused by a person who knows all 158 features in advance:
nothing is stored between steps but the series that windows are of, and there is no plan, no driver and no operator.
Extremes, ranks and sorted windows use the language's own algorithms.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from modules import mathematics
from modules.jit import kernel
from modules.panel import FloatArray, IntArray, Panel
from modules.signal.kernels.order import interpolated, present_or_last, replace
from modules.signal.kernels.rolling import ts_argmax, ts_argmin, ts_max, ts_min, ts_rank

WINDOWS = (5, 10, 20, 30, 60)
BAR = ("KMID", "KLEN", "KMID2", "KUP", "KUP2", "KLOW", "KLOW2", "KSFT", "KSFT2", "OPEN0", "HIGH0", "LOW0", "VWAP0")
ROLLING = (
    "ROC", "MA", "STD", "BETA", "RSQR", "RESI", "MAX", "MIN", "QTLU", "QTLD", "RANK", "RSV", "IMAX", "IMIN", "IMXD",
    "CORR", "CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "VMA", "VSTD", "WVMA", "VSUMP", "VSUMN", "VSUMD",
)  # fmt: skip
NAMES = (*BAR, *(f"{name}{w}" for name in ROLLING for w in WINDOWS))
_COLUMNS = 125
# series that windows are of, in this order
_C, _V, _WV, _LV, _RC, _LVR, _UC, _DC, _AC, _UV, _DV, _AV, _UP, _DOWN = range(14)


def evaluate(panel: Panel, threads: int) -> FloatArray:
    """`[158, T, N]`, in the order of `NAMES`."""
    out = np.empty((len(NAMES), *panel.shape))
    fields = [panel[name] for name in ("open", "high", "low", "close", "volume")]

    def run(first: int) -> None:
        for column in range(first * _COLUMNS, panel.shape[1], threads * _COLUMNS):
            part = [np.ascontiguousarray(f[:, column : column + _COLUMNS]) for f in fields]
            _features(*part, np.array(WINDOWS), column, out)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, w) for w in range(threads)]:
            done.result()
    return out


@kernel
def _features(
    o: FloatArray, h: FloatArray, l: FloatArray, c: FloatArray, v: FloatArray,  # noqa: E741
    windows: IntArray, column: int, out: FloatArray,
) -> None:  # fmt: skip
    length, columns = c.shape
    series = np.empty((14, length, columns))
    for t in range(length):
        _bar(o[t], h[t], l[t], c[t], out[:13, t, column : column + columns])
        before = t - 1 if t else 0
        _step(c[t], c[before], v[t], v[before], math.nan if t == 0 else 0.0, series[:, t])
    place, highest, lowest = np.empty(c.shape), np.empty(c.shape), np.empty(c.shape)
    since_high, since_low = np.empty(c.shape), np.empty(c.shape)
    for j in range(windows.shape[0]):
        w = windows[j]
        first = w - 1
        ts_max(h, w, first, highest[first:])
        ts_min(l, w, first, lowest[first:])
        ts_argmax(h, w, first, since_high[first:])
        ts_argmin(l, w, first, since_low[first:])
        ts_rank(c, w, first, place[first:])
        _windows(
            series, w, highest, lowest, since_high, since_low, place, out[13 + j :: 5, :, column : column + columns]
        )


@kernel
def _bar(o: FloatArray, h: FloatArray, l: FloatArray, c: FloatArray, out: FloatArray) -> None:  # noqa: E741
    body, size, body2, up, up2, low, low2 = out[0], out[1], out[2], out[3], out[4], out[5], out[6]
    shift, shift2, open0, high0, low0, vwap0 = out[7], out[8], out[9], out[10], out[11], out[12]
    for n in range(o.shape[0]):
        spread = h[n] - l[n]
        top, bottom = max(o[n], c[n]), min(o[n], c[n])
        body[n], size[n], body2[n] = (c[n] - o[n]) / o[n], (h[n] - l[n]) / o[n], (c[n] - o[n]) / spread
        up[n], up2[n] = (h[n] - top) / o[n], (h[n] - top) / spread
        low[n], low2[n] = (bottom - l[n]) / o[n], (bottom - l[n]) / spread
    for n in range(o.shape[0]):
        spread = h[n] - l[n]
        shift[n], shift2[n] = (2.0 * c[n] - h[n] - l[n]) / o[n], (2.0 * c[n] - h[n] - l[n]) / spread
        open0[n], high0[n], low0[n] = o[n] / c[n], h[n] / c[n], l[n] / c[n]
        vwap0[n] = (h[n] + l[n] + c[n]) / 3.0 / c[n]


@kernel
def _step(c: FloatArray, c1: FloatArray, v: FloatArray, v1: FloatArray, missing: float, out: FloatArray) -> None:
    """One bar of every series that windows are of; changes are missing in the first."""
    for n in range(c.shape[0]):
        out[_C, n], out[_V, n], out[_LV, n] = c[n], v[n], mathematics.log(v[n] + 1.0)
        out[_RC, n] = c[n] / c1[n] + missing
        out[_LVR, n] = mathematics.log(v[n] / v1[n] + 1.0) + missing
        out[_WV, n] = abs(c[n] / c1[n] - 1.0) * v[n] + missing
    for n in range(c.shape[0]):
        out[_UC, n], out[_DC, n] = max(c[n] - c1[n], 0.0) + missing, max(c1[n] - c[n], 0.0) + missing
        out[_AC, n] = abs(c[n] - c1[n]) + missing
        out[_UV, n], out[_DV, n] = max(v[n] - v1[n], 0.0) + missing, max(v1[n] - v[n], 0.0) + missing
        out[_AV, n] = abs(v[n] - v1[n]) + missing
        out[_UP, n] = (1.0 if c[n] > c1[n] else 0.0) + missing
        out[_DOWN, n] = (1.0 if c[n] < c1[n] else 0.0) + missing


@kernel
def _add(x: FloatArray, start: int, w: int, total: FloatArray) -> None:
    columns = total.shape[0]
    k = start + w % 4
    for n in range(columns):
        total[n] = 0.0
    for row in range(start, k):
        for n in range(columns):
            total[n] += x[row, n]
    while k < start + w:
        p, q, r, s = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            total[n] = (((total[n] + p[n]) + q[n]) + r[n]) + s[n]
        k += 4


@kernel
def _add_both(x: FloatArray, start: int, w: int, total: FloatArray, mean: FloatArray) -> None:
    """The sum, and the mean of what is above the oldest value."""
    columns = total.shape[0]
    oldest = x[start]
    k = start + w % 2
    for n in range(columns):
        total[n] = mean[n] = 0.0
    for row in range(start, k):
        for n in range(columns):
            total[n] += x[row, n]
            mean[n] += x[row, n] - oldest[n]
    while k < start + w:
        p, q = x[k], x[k + 1]
        for n in range(columns):
            total[n] = (total[n] + p[n]) + q[n]
            mean[n] = (mean[n] + (p[n] - oldest[n])) + (q[n] - oldest[n])
        k += 2
    for n in range(columns):
        mean[n] /= w


@kernel
def _centre(x: FloatArray, start: int, w: int, mean: FloatArray) -> None:
    columns = mean.shape[0]
    oldest = x[start]
    k = start + w % 4
    for n in range(columns):
        mean[n] = 0.0
    for row in range(start, k):
        for n in range(columns):
            mean[n] += x[row, n] - oldest[n]
    while k < start + w:
        p, q, r, s = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            o = oldest[n]
            mean[n] = (((mean[n] + (p[n] - o)) + (q[n] - o)) + (r[n] - o)) + (s[n] - o)
        k += 4
    for n in range(columns):
        mean[n] /= w


@kernel
def _spread(x: FloatArray, start: int, w: int, mean: FloatArray, squares: FloatArray) -> None:
    columns = mean.shape[0]
    oldest = x[start]
    k = start + w % 4
    for n in range(columns):
        squares[n] = 0.0
    for row in range(start, k):
        for n in range(columns):
            e = x[row, n] - oldest[n] - mean[n]
            squares[n] += e * e
    while k < start + w:
        p, q, r, s = x[k], x[k + 1], x[k + 2], x[k + 3]
        for n in range(columns):
            o, m = oldest[n], mean[n]
            e, f, g, h = p[n] - o - m, q[n] - o - m, r[n] - o - m, s[n] - o - m
            squares[n] = (((squares[n] + e * e) + f * f) + g * g) + h * h
        k += 4


@kernel
def _joint(
    x: FloatArray, y: FloatArray, start: int, w: int, x_mean: FloatArray, y_mean: FloatArray,
    xx: FloatArray, yy: FloatArray, xy: FloatArray, xt: FloatArray,
) -> None:  # fmt: skip
    """Squares of both, their products, and the products of x with time."""
    columns = xx.shape[0]
    a, b, middle = x[start], y[start], (w - 1) / 2.0
    for n in range(columns):
        xx[n] = yy[n] = xy[n] = xt[n] = 0.0
    for k in range(w):
        p, q, at = x[start + k], y[start + k], k - middle
        for n in range(columns):
            e, f = p[n] - a[n] - x_mean[n], q[n] - b[n] - y_mean[n]
            xx[n] += e * e
            yy[n] += f * f
            xy[n] += e * f
            xt[n] += at * e


@kernel
def _products(
    x: FloatArray, y: FloatArray, start: int, w: int, x_mean: FloatArray, y_mean: FloatArray,
    xx: FloatArray, yy: FloatArray, xy: FloatArray,
) -> None:  # fmt: skip
    """Squares of both and their products."""
    columns = xx.shape[0]
    a, b = x[start], y[start]
    for n in range(columns):
        xx[n] = yy[n] = xy[n] = 0.0
    for k in range(w):
        p, q = x[start + k], y[start + k]
        for n in range(columns):
            e, f = p[n] - a[n] - x_mean[n], q[n] - b[n] - y_mean[n]
            xx[n] += e * e
            yy[n] += f * f
            xy[n] += e * f


@kernel
def _correlation(xx: FloatArray, yy: FloatArray, xy: FloatArray, out: FloatArray) -> None:
    for n in range(xx.shape[0]):
        r = xy[n] / (math.sqrt(xx[n]) * math.sqrt(yy[n]))
        out[n] = 1.0 if r > 1.0 else -1.0 if r < -1.0 else r


@kernel
def _shares(
    up: FloatArray, down: FloatArray, moved: FloatArray, ups: FloatArray, downs: FloatArray, net: FloatArray
) -> None:
    for n in range(up.shape[0]):
        total = moved[n]
        ups[n], downs[n], net[n] = up[n] / total, down[n] / total, (up[n] - down[n]) / total


@kernel
def _windows(
    series: FloatArray, w: int, highest: FloatArray, lowest: FloatArray, since_high: FloatArray, since_low: FloatArray,
    place: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """`out`: the 29 rolling features of one window, in the order of `ROLLING`."""
    length, columns = highest.shape
    c, v, wv, lv = series[_C], series[_V], series[_WV], series[_LV]
    row = np.empty((24, columns))
    ups, downs = np.zeros(columns), np.zeros(columns)  # counts are exact: kept from row to row
    held = np.full((w, columns), math.inf)
    old, new, put = np.full(columns, math.inf), np.empty(columns), np.empty(columns)
    upper, lower = np.empty(columns), np.empty(columns)
    scale = w * (float(w) * w - 1.0) / 12.0
    half = (w - 1) / 2.0
    for t in range(length):
        into = out[:, t]
        present_or_last(c[t], new)
        replace(held, min(t + 1, w), old, new, put)
        if t < w:
            for f in range(into.shape[0]):
                for n in range(columns):
                    into[f, n] = math.nan
        if t:
            for n in range(columns):
                ups[n] += series[_UP, t, n]
                downs[n] += series[_DOWN, t, n]
        if t < w - 1:
            continue
        start = t - w + 1
        interpolated(held, 0.8, upper)
        interpolated(held, 0.2, lower)
        present_or_last(c[start], old)
        _add_both(c, start, w, row[0], row[1])
        _add_both(v, start, w, row[2], row[3])
        _centre(lv, start, w, row[4])
        _joint(c, lv, start, w, row[1], row[4], row[5], row[6], row[7], row[8])
        _spread(v, start, w, row[3], row[9])
        total, mean, squares, timed, close, oldest = row[0], row[1], row[5], row[8], c[t], c[start]
        ma, std, beta, straight, resid = into[1], into[2], into[3], into[4], into[5]
        for n in range(columns):
            slope = timed[n] / scale
            ma[n] = total[n] / w / close[n]
            std[n] = math.sqrt(squares[n] / (w - 1)) / close[n]
            beta[n] = slope / close[n]
            resid[n] = (close[n] - oldest[n] - mean[n] - slope * half) / close[n]
            r = timed[n] / (math.sqrt(scale) * math.sqrt(squares[n]))
            straight[n] = min(r * r, 1.0)
        top, bottom, since_top, since_bottom, rank = highest[t], lowest[t], since_high[t], since_low[t], place[t]
        high, low, over, under, among, inside = into[6], into[7], into[8], into[9], into[10], into[11]
        for n in range(columns):
            high[n], low[n] = top[n] / close[n], bottom[n] / close[n]
            over[n], under[n] = upper[n] / close[n], lower[n] / close[n]
            among[n] = (rank[n] * (w - 1) + 1.0) / w
            inside[n] = (close[n] - bottom[n]) / (top[n] - bottom[n])
        when_high, when_low, between = into[12], into[13], into[14]
        for n in range(columns):
            when_high[n], when_low[n] = (w - since_top[n]) / w, (w - since_bottom[n]) / w
            between[n] = (since_bottom[n] - since_top[n]) / w
        _correlation(row[5], row[6], row[7], into[15])
        mean_volume, std_volume, volumes, spread, volume = into[23], into[24], row[2], row[9], v[t]
        for n in range(columns):
            mean_volume[n] = volumes[n] / w / volume[n]
            std_volume[n] = math.sqrt(spread[n] / (w - 1)) / volume[n]
        if start == 0:
            continue  # changes are missing in the first bar
        _centre(series[_RC], start, w, row[10])
        _centre(series[_LVR], start, w, row[11])
        _products(series[_RC], series[_LVR], start, w, row[10], row[11], row[12], row[13], row[14])
        _correlation(row[12], row[13], row[14], into[16])
        _add_both(wv, start, w, row[15], row[16])
        _spread(wv, start, w, row[16], row[17])
        for j in range(6):
            _add(series[_UC + j], start, w, row[18 + j])
        _shares(row[18], row[19], row[20], into[20], into[21], into[22])
        _shares(row[21], row[22], row[23], into[26], into[27], into[28])
        roc, rose, fell, net, money, earlier = into[0], into[17], into[18], into[19], into[25], c[start - 1]
        moneys, money_squares = row[15], row[17]
        for n in range(columns):
            roc[n] = earlier[n] / close[n]
            up, down = ups[n] / w, downs[n] / w
            rose[n], fell[n], net[n] = up, down, up - down
            money[n] = math.sqrt(money_squares[n] / (w - 1)) / (moneys[n] / w)
            ups[n] -= series[_UP, start, n]
            downs[n] -= series[_DOWN, start, n]
