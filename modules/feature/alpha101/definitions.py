"""The 101 formulaic alphas of Kakushadze (2016) that bars allow, in our language; README.md says which are left out.

How the paper's words are written here:

* `vwap` is the typical price (high + low + close) / 3, which bars allow;
* `adv20` is the mean of close * volume over 20 bars, money, as the paper defines it; where a formula holds it against
  `volume`, which is shares, both are shares;
* windows that are no whole numbers are rounded down, as in the paper;
* `ts_argmax` of the paper counts from the oldest bar of the window and ours from the newest, so it stands negated;
* `x ^ y` with an expression as exponent is exp(y * log(x)), for 0 <= x <= 1;
* `unitless` stands where the paper adds or compares unlike units;
* a correlation of two ranks is 0 where one of them stands still, which is common on short windows;
* a correlation over two bars is the product of the signs of two moves, without its rounding;
* our `rank` begins at 0, where an order is all that counts steps that keep it are left out (`log`, `scale`, a rank of
  a rank), and a weighted mean of one thing with itself is that thing.

Every alpha is to be held as it stands: sign 1.
"""

from __future__ import annotations

from modules.feature.row import Feature

_SOURCE = "Kakushadze 2016, 101 Formulaic Alphas"
_VWAP = "((high + low + close) / 3)"
_RETURNS = "returns(close, 1)"
_MIDDLE = "((high + low) / 2)"
_BEND = "((delay(close, 20) - delay(close, 10)) / 10 - (delay(close, 10) - close) / 10)"
_MIXED = "adds prices and a plain number"


def _adv(bars: int) -> str:
    """Average daily money traded."""
    return f"ts_mean(close * volume, {bars})"


def _busy(bars: int) -> str:
    """Volume against its mean."""
    return f"volume / ts_mean(volume, {bars})"


def _mix(x: str, y: str, weight: float) -> str:
    """The paper's x * weight + y * (1 - weight)."""
    return f"({x} * {weight} + {y} * (1 - {weight}))"


def _corr(x: str, y: str, window: int) -> str:
    """Correlation of two ranks; 0, which the covariance is, where one of them stands still."""
    return f"coalesce(ts_corr({x}, {y}, {window}), 0 * ts_cov({x}, {y}, {window}))"


def _raised(x: str, y: str) -> str:
    """x ^ y for x from 0 to 1 and y from 0 on; 0 ^ 0 is 1."""
    return f"where({x} > 0, exp({y} * log({x})), {y} == 0)"


def _level(number: int, expr: str, about: str = "") -> Feature:
    """An alpha that compares price or volume levels of different symbols, or of a symbol with a constant."""
    return Feature(f"alpha{number:03}", expr, 1, _SOURCE, about, level=True)


def _free(number: int, expr: str, about: str = "") -> Feature:
    """An alpha that no split changes."""
    return Feature(f"alpha{number:03}", expr, 1, _SOURCE, about)


def _one_way(bars: int) -> str:
    """A move that goes on where the last `bars` moves went one way, and turns where they did not."""
    move = "delta(close, 1)"
    return f"where(0 < ts_min({move}, {bars}), {move}, where(ts_max({move}, {bars}) < 0, {move}, -{move}))"


_FIRST = (
    _level(1, f"rank(-ts_argmax(signed_power(where({_RETURNS} < 0, ts_std({_RETURNS}, 20), unitless(close)), 2), 5))"
              " - 0.5", "sets a deviation of returns beside prices"),
    _free(2, "-" + _corr("rank(delta(log(volume), 2))", "rank((close - open) / open)", 6)),
    _level(3, "-" + _corr("rank(open)", "rank(volume)", 10)),
    _level(4, "-ts_rank(rank(low), 9)"),
    _level(5, f"rank(open - ts_sum({_VWAP}, 10) / 10) * -abs(rank(close - {_VWAP}))"),
    _free(6, "-ts_corr(open, volume, 10)"),
    _free(7, "where(ts_mean(volume, 20) < volume, -ts_rank(abs(delta(close, 7)), 60) * sign(delta(close, 7)), -1)"),
    _level(8, f"-rank(ts_sum(open, 5) * ts_sum({_RETURNS}, 5) - delay(ts_sum(open, 5) * ts_sum({_RETURNS}, 5), 10))"),
    _level(9, _one_way(5)),
    _level(10, f"rank({_one_way(4)})"),
    _level(11, f"(rank(ts_max({_VWAP} - close, 3)) + rank(ts_min({_VWAP} - close, 3))) * rank(delta(volume, 3))"),
    _level(12, "sign(delta(volume, 1)) * -delta(close, 1)"),
    _level(13, "-rank(ts_cov(rank(close), rank(volume), 5))"),
    _free(14, f"-rank(delta({_RETURNS}, 3)) * ts_corr(open, volume, 10)"),
    _level(15, f"-ts_sum(rank({_corr('rank(high)', 'rank(volume)', 3)}), 3)"),
    _level(16, "-rank(ts_cov(rank(high), rank(volume), 5))"),
    _level(17, f"-rank(ts_rank(close, 10)) * rank(delta(delta(close, 1), 1)) * rank(ts_rank({_busy(20)}, 5))"),
    _level(18, "-rank(unitless(ts_std(abs(close - open), 5) + (close - open)) + ts_corr(close, open, 10))", _MIXED),
    _free(19, f"-sign(close - delay(close, 7) + delta(close, 7)) * (1 + rank(1 + ts_sum({_RETURNS}, 250)))"),
    _level(20, "-rank(open - delay(high, 1)) * rank(open - delay(close, 1)) * rank(open - delay(low, 1))"),
    _free(21, "where(ts_sum(close, 8) / 8 + ts_std(close, 8) < ts_sum(close, 2) / 2, -1, where(ts_sum(close, 2) / 2 < "
              f"ts_sum(close, 8) / 8 - ts_std(close, 8), 1, where({_busy(20)} >= 1, 1, -1)))"),
    _level(22, "-(delta(ts_corr(high, volume, 5), 5) * rank(ts_std(close, 20)))"),
    _level(23, "where(ts_sum(high, 20) / 20 < high, -delta(high, 2), 0)"),
    _level(24, "where(delta(ts_sum(close, 100) / 100, 100) / delay(close, 100) <= 0.05, -(close - ts_min(close, 100)), "
               "-delta(close, 3))"),
    _level(25, f"rank(-{_RETURNS} * {_adv(20)} * {_VWAP} * (high - close))"),
    _free(26, f"-ts_max({_corr('ts_rank(volume, 5)', 'ts_rank(high, 5)', 5)}, 3)"),
    _level(27, f"where(0.5 < rank(ts_sum({_corr('rank(volume)', f'rank({_VWAP})', 6)}, 2) / 2), -1, 1)"),
    _level(28, f"scale(ts_corr({_adv(20)}, low, 5) + unitless({_MIDDLE} - close))", _MIXED),
    _level(29, f"ts_min(rank(ts_min(rank(-delta(close, 5)), 2)), 5) + ts_rank(delay(-{_RETURNS}, 6), 5)"),
    _free(30, "(1 - rank(sign(close - delay(close, 1)) + sign(delay(close, 1) - delay(close, 2)) "
              "+ sign(delay(close, 2) - delay(close, 3)))) * ts_sum(volume, 5) / ts_sum(volume, 20)"),
    _level(31, f"rank(decay_linear(-rank(delta(close, 10)), 10)) + rank(-delta(close, 3)) "
               f"+ sign(ts_corr({_adv(20)}, low, 12))"),
    _level(32, f"scale(ts_sum(close, 7) / 7 - close) + 20 * scale(ts_corr({_VWAP}, delay(close, 5), 230))"),
    _free(33, "rank(-(1 - open / close))"),
    _level(34, f"rank(1 - rank(ts_std({_RETURNS}, 2) / ts_std({_RETURNS}, 5)) + (1 - rank(delta(close, 1))))"),
    _free(35, f"ts_rank(volume, 32) * (1 - ts_rank(close + high - low, 16)) * (1 - ts_rank({_RETURNS}, 32))"),
    _level(36, "2.21 * rank(ts_corr(close - open, delay(volume, 1), 15)) + 0.7 * rank(open - close) "
               f"+ 0.73 * rank(ts_rank(delay(-{_RETURNS}, 6), 5)) + rank(abs(ts_corr({_VWAP}, {_adv(20)}, 6))) "
               "+ 0.6 * rank((ts_sum(close, 200) / 200 - open) * (close - open))"),
    _level(37, "rank(ts_corr(delay(open - close, 1), close, 200)) + rank(open - close)"),
    _free(38, "-rank(ts_rank(close, 10)) * rank(close / open)"),
    _level(39, f"-rank(delta(close, 7) * (1 - rank(decay_linear({_busy(20)}, 9)))) "
               f"* (1 + rank(ts_sum({_RETURNS}, 250)))"),
    _level(40, "-rank(ts_std(high, 10)) * ts_corr(high, volume, 10)"),
    _level(41, f"(high * low) ** 0.5 - {_VWAP}"),
    _level(42, f"rank({_VWAP} - close) / rank({_VWAP} + close)"),
    _free(43, f"ts_rank({_busy(20)}, 20) * ts_rank(-delta(close, 7), 8)"),
    _level(44, "-ts_corr(high, rank(volume), 5)"),
    _level(45, "-(rank(ts_sum(delay(close, 5), 20) / 20) * (sign(delta(close, 1)) * sign(delta(volume, 1))) "
               "* rank(sign(delta(ts_sum(close, 5), 1)) * sign(delta(ts_sum(close, 20), 1))))"),
    _level(46, f"where(0.25 < {_BEND}, -1, where({_BEND} < 0, 1, -(close - delay(close, 1))))"),
    _level(47, f"rank(1 / close) * {_busy(20)} * (high * rank(high - close) / (ts_sum(high, 5) / 5)) "
               f"- rank({_VWAP} - delay({_VWAP}, 5))"),
    _level(49, f"where({_BEND} < -0.1, 1, -(close - delay(close, 1)))"),
    _level(50, f"-ts_max(rank({_corr('rank(volume)', f'rank({_VWAP})', 5)}), 5)"),
)  # fmt: skip

_SECOND = (
    _level(51, f"where({_BEND} < -0.05, 1, -(close - delay(close, 1)))"),
    _level(52, "(-ts_min(low, 5) + delay(ts_min(low, 5), 5)) "
               f"* rank((ts_sum({_RETURNS}, 240) - ts_sum({_RETURNS}, 20)) / 220) * ts_rank(volume, 5)"),
    _free(53, "-delta((close - low - (high - close)) / (close - low), 9)"),
    _free(54, "-((low - close) * open ** 5) / ((low - high) * close ** 5)"),
    _level(55, "-" + _corr("rank((close - ts_min(low, 12)) / (ts_max(high, 12) - ts_min(low, 12)))",
                           "rank(volume)", 6)),
    _level(57, f"-((close - {_VWAP}) / decay_linear(rank(-ts_argmax(close, 30)), 2))"),
    _level(58, f"-ts_rank(decay_linear(ts_corr(neutralize({_VWAP}, sector), volume, 3), 7), 5)"),
    _level(60, "-(2 * scale(rank((close - low - (high - close)) / (high - low) * volume)) "
               "- scale(rank(-ts_argmax(close, 10))))"),
    _level(61, f"rank({_VWAP} - ts_min({_VWAP}, 16)) < rank(ts_corr({_VWAP}, {_adv(180)}, 17))"),
    _level(62, f"-(rank(ts_corr({_VWAP}, ts_sum({_adv(20)}, 22), 9)) "
               f"< rank(rank(open) + rank(open) < rank({_MIDDLE}) + rank(high)))"),
    _level(64, f"-(rank(ts_corr(ts_sum({_mix('open', 'low', 0.178404)}, 12), ts_sum({_adv(120)}, 12), 16)) "
               f"< rank(delta({_mix(_MIDDLE, _VWAP, 0.178404)}, 3)))"),
    _level(65, f"-(rank(ts_corr({_mix('open', _VWAP, 0.00817205)}, ts_sum({_adv(60)}, 8), 6)) "
               "< rank(open - ts_min(open, 13)))"),
    _level(66, f"-(rank(decay_linear(delta({_VWAP}, 3), 7)) "
               f"+ ts_rank(decay_linear((low - {_VWAP}) / (open - {_MIDDLE}), 11), 6))"),
    _level(68, f"-(ts_rank({_corr('rank(high)', f'rank({_adv(15)})', 8)}, 13) "
               f"< rank(delta({_mix('close', 'low', 0.518371)}, 1)))"),
    _level(71, f"max(ts_rank(decay_linear({_corr('ts_rank(close, 3)', f'ts_rank({_adv(180)}, 12)', 18)}, 4), 15), "
               f"ts_rank(decay_linear(rank(low + open - ({_VWAP} + {_VWAP})) ** 2, 16), 4))"),
    _free(72, f"rank(decay_linear(ts_corr({_MIDDLE}, {_adv(40)}, 8), 10)) "
              f"/ rank(decay_linear({_corr(f'ts_rank({_VWAP}, 3)', 'ts_rank(volume, 18)', 6)}, 2))"),
    _level(73, f"-max(rank(decay_linear(delta({_VWAP}, 4), 2)), ts_rank(decay_linear(-(delta("
               f"{_mix('open', 'low', 0.147155)}, 2) / {_mix('open', 'low', 0.147155)}), 3), 16))"),
    _level(74, f"-(rank(ts_corr(close, ts_sum({_adv(30)}, 37), 15)) "
               "< rank(" + _corr(f"rank({_mix('high', _VWAP, 0.0261661)})", "rank(volume)", 11) + "))"),
    _level(75, f"rank(ts_corr({_VWAP}, volume, 4)) < rank({_corr('rank(low)', f'rank({_adv(50)})', 12)})"),
    _level(76, f"-max(rank(decay_linear(delta({_VWAP}, 1), 11)), ts_rank(decay_linear(ts_rank("
               f"ts_corr(neutralize(low, sector), {_adv(81)}, 8), 19), 17), 19))"),
    _level(77, f"min(rank(decay_linear({_MIDDLE} + high - ({_VWAP} + high), 20)), "
               f"rank(decay_linear(ts_corr({_MIDDLE}, {_adv(40)}, 3), 5)))"),
    _level(78, _raised(f"rank(ts_corr(ts_sum({_mix('low', _VWAP, 0.352233)}, 19), ts_sum({_adv(40)}, 19), 6))",
                       f"rank({_corr(f'rank({_VWAP})', 'rank(volume)', 5)})")),
    _level(79, f"rank(delta(neutralize({_mix('close', 'open', 0.60733)}, sector), 1)) "
               f"< rank({_corr(f'ts_rank({_VWAP}, 3)', f'ts_rank({_adv(150)}, 9)', 14)})"),
    _level(81, f"-(rank(ts_product(rank(ts_corr({_VWAP}, ts_sum({_adv(10)}, 49), 8)), 14)) "
               f"< rank({_corr(f'rank({_VWAP})', 'rank(volume)', 5)}))"),
    _level(82, "-min(rank(decay_linear(delta(open, 1), 14)), "
               "ts_rank(decay_linear(ts_corr(neutralize(volume, sector), open, 17), 6), 13))"),
    _level(83, "rank(delay((high - low) / (ts_sum(close, 5) / 5), 2)) * rank(volume) "
               f"/ ((high - low) / (ts_sum(close, 5) / 5) / ({_VWAP} - close))"),
    _free(85, _raised(f"rank(ts_corr({_mix('high', 'close', 0.876703)}, {_adv(30)}, 9))",
                      f"rank({_corr(f'ts_rank({_MIDDLE}, 3)', 'ts_rank(volume, 10)', 7)})")),
    _level(86, f"-(ts_rank(ts_corr(close, ts_sum({_adv(20)}, 14), 6), 20) < rank(open + close - ({_VWAP} + open)))"),
    _level(88, "min(rank(decay_linear(rank(open) + rank(low) - (rank(high) + rank(close)), 8)), "
               f"ts_rank(decay_linear({_corr('ts_rank(close, 8)', f'ts_rank({_adv(60)}, 20)', 8)}, 6), 2))"),
    _level(92, f"min(ts_rank(decay_linear({_MIDDLE} + close < low + open, 14), 18), "
               f"ts_rank(decay_linear({_corr('rank(low)', f'rank({_adv(30)})', 7)}, 6), 6))"),
    _level(94, "-" + _raised(f"rank({_VWAP} - ts_min({_VWAP}, 11))",
                             f"ts_rank({_corr(f'ts_rank({_VWAP}, 19)', f'ts_rank({_adv(60)}, 4)', 18)}, 2)")),
    _level(95, "rank(open - ts_min(open, 12)) "
               f"< ts_rank(rank(ts_corr(ts_sum({_MIDDLE}, 19), ts_sum({_adv(40)}, 19), 12)) ** 5, 11)"),
    _level(96, f"-max(ts_rank(decay_linear({_corr(f'rank({_VWAP})', 'rank(volume)', 3)}, 4), 8), ts_rank(decay_linear("
               f"-ts_argmax({_corr('ts_rank(close, 7)', f'ts_rank({_adv(60)}, 4)', 3)}, 12), 14), 13))"),
    _level(98, f"rank(decay_linear(ts_corr({_VWAP}, ts_sum({_adv(5)}, 26), 4), 7)) - rank(decay_linear(ts_rank("
               f"-ts_argmin({_corr('rank(open)', f'rank({_adv(15)})', 20)}, 8), 6), 8))"),
    _free(99, f"-(rank(ts_corr(ts_sum({_MIDDLE}, 19), ts_sum({_adv(60)}, 19), 8)) < rank(ts_corr(low, volume, 6)))"),
    _level(101, "(close - open) / (high - low + 0.001)"),
)  # fmt: skip

FEATURES = (*_FIRST, *_SECOND)
