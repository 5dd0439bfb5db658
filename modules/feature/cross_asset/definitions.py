"""What other symbols say of one: the market, the sector, leaders and laggards."""

from __future__ import annotations

from modules.feature.row import Feature

_R = "returns(close, 1)"
_MARKET = "cs_mean(returns(close, 1))"
_SECTOR = "group_mean(returns(close, 1), sector)"
_WITH_IT = f"abs(ts_corr({_R}, {_MARKET}, 126))"
_A_DAY_LATE = f"abs(ts_corr({_R}, delay({_MARKET}, 1), 126))"

FEATURES: tuple[Feature, ...] = (
    Feature("sector_lead_1", f"{_SECTOR} - {_R}", 1, "Hou 2007", "what the sector rose more than the symbol, a day"),
    Feature(
        "sector_lead_5",
        "group_mean(returns(close, 5), sector) - returns(close, 5)",
        1,
        "Hou 2007",
        "what the sector rose more than the symbol, a week",
    ),
    Feature(
        "sector_gap_21",
        f"ts_sum({_R} - {_SECTOR}, 21) / ts_std({_R} - {_SECTOR}, 126)",
        -1,
        "Da, Liu and Schaumburg 2014",
        "return of a month against the sector, in deviations",
    ),
    Feature(
        "sector_corr_60",
        f"ts_corr({_R}, {_SECTOR}, 60)",
        0,
        "Barberis, Shleifer and Wurgler 2005",
        "how closely it follows its sector",
    ),
    Feature(
        "sector_beta_126",
        f"ts_beta({_R}, {_SECTOR}, 126)",
        -1,
        "Frazzini and Pedersen 2014",
        "slope on the sector's return",
    ),
    Feature(
        "sector_rank_126",
        "group_rank(returns(close, 126), sector)",
        1,
        "Moskowitz and Grinblatt 1999",
        "place in the sector by half-year return",
    ),
    Feature(
        "market_gap_5",
        "returns(close, 5) - cs_median(returns(close, 5))",
        -1,
        "Lehmann 1990",
        "return of a week against the median symbol",
    ),
    Feature(
        "market_lag_60",
        f"ts_beta({_R}, delay({_MARKET}, 1), 60) * {_MARKET}",
        1,
        "Lo and MacKinlay 1990",
        "what today's market says for tomorrow, by the slope on the market a day before",
    ),
    Feature(
        "market_delay_126",
        f"{_A_DAY_LATE} / ({_WITH_IT} + {_A_DAY_LATE})",
        1,
        "Hou and Moskowitz 2005",
        "how late it takes in the news of the market",
    ),
    Feature(
        "market_beta_change",
        f"ts_beta({_R}, {_MARKET}, 60) - ts_beta({_R}, {_MARKET}, 252)",
        0,
        "Frazzini and Pedersen 2014",
        "beta of a quarter less that of a year",
    ),
    Feature(
        "market_beta_fear",
        f"ts_beta({_R}, abs({_MARKET}), 126)",
        -1,
        "Ang, Hodrick, Xing and Zhang 2006",
        "slope on the size of the market's moves: insurance is dear",
    ),
    Feature(
        "market_share_126",
        f"square(ts_corr({_R}, {_MARKET}, 126))",
        0,
        "Morck, Yeung and Yu 2000",
        "share of the variance that the market explains",
    ),
    Feature(
        "market_spearman_60",
        f"ts_spearman({_R}, {_MARKET}, 60)",
        -1,
        "Asness, Frazzini, Gormsen and Pedersen 2020",
        "rank correlation with the market",
    ),
    Feature(
        "leaders_lead_5",
        f"ts_sum(cs_weighted_mean({_R}, ts_mean(close * volume, 60)) - {_R}, 5)",
        1,
        "Lo and MacKinlay 1990",
        "what the most traded symbols rose more than this one, a week",
    ),
    Feature(
        "net_of_size_21",
        "regress_out(returns(close, 21), log(ts_mean(close * volume, 60)))",
        -1,
        "Jegadeesh 1990",
        "return of a month that the money traded does not explain",
    ),
    Feature(
        "net_of_risk_126",
        f"regress_out(returns(close, 126), ts_beta({_R}, {_MARKET}, 126), ts_std({_R}, 126))",
        1,
        "Blitz, Huij and Martens 2011",
        "half-year return that beta and volatility do not explain",
    ),
)
