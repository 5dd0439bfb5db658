"""What the shape of bars tells: nights and days, shadows, and how price and volume meet within a bar."""

from __future__ import annotations

from modules.feature.row import Feature

_NIGHT = "(open / delay(close, 1) - 1)"
_DAY = "(close / open - 1)"
_PLACE = "(2 * close - high - low) / (high - low)"

FEATURES: tuple[Feature, ...] = (
    Feature("night_21", f"ts_mean({_NIGHT}, 21)", 1, "Lou, Polk and Skouras 2019", "mean overnight return of a month"),
    Feature("night_252", f"ts_mean({_NIGHT}, 252)", 1, "Lou, Polk and Skouras 2019", "mean overnight return of a year"),
    Feature(
        "day_21", f"ts_mean({_DAY}, 21)", -1, "Lou, Polk and Skouras 2019", "mean return from open to close, a month"
    ),
    Feature(
        "night_less_day_21",
        f"ts_mean({_NIGHT} - {_DAY}, 21)",
        1,
        "Lou, Polk and Skouras 2019",
        "nights less days: the tug of war",
    ),
    Feature(
        "night_day_corr_60",
        f"ts_corr({_NIGHT}, {_DAY}, 60)",
        0,
        "Berkman, Koch, Tuttle and Zhang 2012",
        "whether days give back what nights gave",
    ),
    Feature(
        "night_share_60",
        f"ts_mean(abs({_NIGHT}), 60) / (ts_mean(abs({_NIGHT}), 60) + ts_mean(abs({_DAY}), 60))",
        0,
        "Barclay and Hendershott 2003",
        "share of the movement that happens overnight",
    ),
    Feature(
        "gap_up_20", f"count_true({_NIGHT} > 0.01, 20)", 0, "Caporale and Plastun 2017", "gaps above 1 % in a month"
    ),
    Feature(
        "close_place_5", f"ts_mean({_PLACE}, 5)", -1, "Granville 1976", "mean place of the close in the range, a week"
    ),
    Feature(
        "shadow_upper_20",
        "ts_mean((high - max(open, close)) / close, 20)",
        0,
        "Nison 1991",
        "mean upper shadow over the close",
    ),
    Feature(
        "shadow_lower_20",
        "ts_mean((min(open, close) - low) / close, 20)",
        0,
        "Nison 1991",
        "mean lower shadow over the close",
    ),
    Feature(
        "shadow_balance_20",
        "ts_mean(high + low - max(open, close) - min(open, close), 20) / close",
        0,
        "Nison 1991",
        "upper less lower shadows over the close",
    ),
    Feature(
        "body_share_20",
        "ts_mean(abs(close - open), 20) / ts_mean(high - low, 20)",
        0,
        "Nison 1991",
        "share of the ranges that is body",
    ),
    Feature(
        "range_expansion",
        "(high - low) / ts_mean(high - low, 20)",
        0,
        "Crabel 1990",
        "range of the day against its mean",
    ),
    Feature(
        "range_to_deviation_20",
        "parkinson(high, low, 20) / ts_std(returns(close, 1), 20)",
        0,
        "Alizadeh, Brandt and Diebold 2002",
        "volatility within days against between closes",
    ),
    Feature(
        "vwap_distance_20",
        "close / vwap(high, low, close, volume, 20) - 1",
        -1,
        "Berkowitz, Logue and Noser 1988",
        "close against the volume-weighted price of 20 bars",
    ),
    Feature(
        "signed_volume_20",
        "ts_sum(sign(delta(close, 1)) * volume, 20) / ts_sum(volume, 20)",
        0,
        "Granville 1963",
        "volume of rising less falling days, over all volume",
    ),
    Feature(
        "signed_body_volume_20",
        f"ts_sum({_DAY} * volume, 20) / ts_sum(abs({_DAY}) * volume, 20)",
        0,
        "Chaikin",
        "returns from open to close weighed by volume, -1 to 1",
    ),
    Feature(
        "autocorr_20",
        "ts_autocorr(returns(close, 1), 20)",
        0,
        "Lo and MacKinlay 1988",
        "correlation of each day with the day before, a month",
    ),
    Feature(
        "variance_ratio_5_60",
        "ts_variance_ratio(close, 60, 5)",
        0,
        "Lo and MacKinlay 1988",
        "variance of weeks against days: above 1 trends, below 1 reverts",
    ),
    Feature("entropy_60", "ts_entropy(returns(close, 1), 60, 8)", 0, "Shannon 1948", "disorder of daily returns"),
)
