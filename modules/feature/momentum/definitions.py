"""Winners go on winning: past returns over months, and what sharpens or explains them."""

from __future__ import annotations

from modules.feature.row import Feature

_R = "returns(close, 1)"
_MARKET = "cs_mean(returns(close, 1))"
_UNEXPLAINED = f"{_R} - ts_beta({_R}, {_MARKET}, 252) * {_MARKET}"
_MONTHS_UP = " + ".join(
    ["(returns(close, 21) > 0)", *(f"(returns(delay(close, {21 * k}), 21) > 0)" for k in range(1, 12))]
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        "mom_12_1",
        "returns(delay(close, 21), 231)",
        1,
        "Jegadeesh and Titman 1993",
        "return of a year but for its last month",
    ),
    Feature(
        "mom_9_1",
        "returns(delay(close, 21), 168)",
        1,
        "Jegadeesh and Titman 1993",
        "return of nine months but for the last",
    ),
    Feature(
        "mom_6_1",
        "returns(delay(close, 21), 105)",
        1,
        "Jegadeesh and Titman 1993",
        "return of half a year but for its last month",
    ),
    Feature(
        "mom_12_7", "returns(delay(close, 126), 126)", 1, "Novy-Marx 2012", "return of the first half of the last year"
    ),
    Feature(
        "mom_scaled",
        f"returns(delay(close, 21), 231) / ts_std({_R}, 126)",
        1,
        "Barroso and Santa-Clara 2015",
        "mom_12_1 in units of volatility",
    ),
    Feature(
        "mom_ts_252",
        f"returns(close, 252) / ts_std({_R}, 60)",
        1,
        "Moskowitz, Ooi and Pedersen 2012",
        "return of a year in units of recent volatility",
    ),
    Feature(
        "mom_residual",
        f"ts_sum(delay({_UNEXPLAINED}, 21), 231) / ts_resid_std({_R}, {_MARKET}, 252)",
        1,
        "Blitz, Huij and Martens 2011",
        "mom_12_1 of what the market does not explain, over its deviation",
    ),
    Feature(
        "mom_sector_126",
        "group_mean(returns(close, 126), sector)",
        1,
        "Moskowitz and Grinblatt 1999",
        "half-year return of the symbol's sector",
    ),
    Feature(
        "mom_market_state",
        f"returns(delay(close, 21), 231) * (ts_sum({_MARKET}, 252) > 0)",
        1,
        "Cooper, Gutierrez and Hameed 2004",
        "mom_12_1 after years in which the market rose, else 0",
    ),
    Feature(
        "mom_acceleration",
        "returns(close, 126) - returns(delay(close, 126), 126)",
        1,
        "Gettleman and Marks 2006",
        "half-year return less that of the half-year before",
    ),
    Feature(
        "mom_up_days",
        "ts_mean(close > delay(close, 1), 252) - ts_mean(close < delay(close, 1), 252)",
        1,
        "Da, Gurun and Warachka 2014",
        "share of rising less falling days: gains in small steps",
    ),
    Feature("mom_months_up", _MONTHS_UP, 1, "Grinblatt and Moskowitz 2004", "months of the last twelve that rose"),
    Feature(
        "mom_clear",
        "ts_slope(log(close), 90) * ts_rsquare(log(close), 90)",
        1,
        "Clenow 2015",
        "slope of the log price times how straight it is",
    ),
    Feature(
        "mom_efficiency",
        "ts_efficiency(close, 126) * sign(delta(close, 126))",
        1,
        "Kaufman 1995",
        "way made over way travelled, with its direction",
    ),
    Feature(
        "high_52w",
        "close / ts_max(close, 252)",
        1,
        "George and Hwang 2004",
        "price against the highest close of the year",
    ),
    Feature(
        "high_52w_age", "ts_argmax(close, 252)", -1, "Bhootra and Hur 2013", "bars since the highest close of the year"
    ),
    Feature(
        "low_52w",
        "close / ts_min(close, 252)",
        1,
        "George and Hwang 2004",
        "price against the lowest close of the year",
    ),
    Feature(
        "trend_50_200",
        "ts_mean(close, 50) / ts_mean(close, 200)",
        1,
        "Brock, Lakonishok and LeBaron 1992",
        "moving averages of 50 and 200 bars",
    ),
    Feature(
        "trend_21_200",
        "ts_mean(close, 21) / ts_mean(close, 200)",
        1,
        "Avramov, Kaplanski and Subrahmanyam 2021",
        "moving averages of 21 and 200 bars",
    ),
    Feature("trend_200", "close / ts_mean(close, 200)", 1, "Faber 2007", "price against its mean of 200 bars"),
    Feature(
        "drawdown_252",
        "ts_drawdown(close, 252)",
        1,
        "George and Hwang 2004",
        "loss since the highest close of the year, as a negative fraction",
    ),
)
