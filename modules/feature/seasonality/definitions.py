"""The calendar of each symbol: months, weekdays and turns of the year that come again."""

from __future__ import annotations

from modules.feature.row import Feature


def _month_ago(years: int) -> str:
    """The return of the 21 bars that followed bar t - 252 * years."""
    return f"returns(delay(close, {252 * years - 21}), 21)"


def _mean_of(parts: list[str]) -> str:
    return f"({' + '.join(parts)}) / {len(parts)}"


_WEEKDAY = _mean_of([f"delay(returns(close, 1), {5 * k - 1})" for k in range(1, 5)])
_QUARTERS = _mean_of([f"returns(delay(close, {63 * k - 21}), 21)" for k in (1, 2, 3)])
_BETA = "ts_beta(returns(close, 1), cs_mean(returns(close, 1)), 252)"

FEATURES: tuple[Feature, ...] = (
    Feature("season_year_1", _month_ago(1), 1, "Heston and Sadka 2008", "return of the month to come, a year ago"),
    Feature("season_year_2", _month_ago(2), 1, "Heston and Sadka 2008", "return of the month to come, two years ago"),
    Feature(
        "season_years_2_5",
        _mean_of([_month_ago(k) for k in (2, 3, 4, 5)]),
        1,
        "Heston and Sadka 2008",
        "mean return of the month to come, two to five years ago",
    ),
    Feature(
        "season_other_2",
        f"returns(delay(close, 252), 252) - {_month_ago(2)}",
        -1,
        "Heston and Sadka 2008",
        "return of the year before last without the month to come",
    ),
    Feature(
        "season_other_3",
        f"returns(delay(close, 504), 252) - {_month_ago(3)}",
        -1,
        "Heston and Sadka 2008",
        "return two years further back without the month to come",
    ),
    Feature(
        "season_quarter",
        _QUARTERS,
        1,
        "Heston and Sadka 2008",
        "mean return of the month to come, one to three quarters ago",
    ),
    Feature(
        "season_weekday",
        _WEEKDAY,
        1,
        "Keloharju, Linnainmaa and Nyberg 2016",
        "mean return of the weekday to come in the last four weeks",
    ),
    Feature(
        "season_tax_loss",
        "where(month == 12 or month == 1, returns(close, 252), 0)",
        -1,
        "Reinganum 1983",
        "return of the year around its turn: sold losers recover",
    ),
    Feature(
        "season_turn_of_month",
        f"where(day_of_month >= 27 or day_of_month <= 2, {_BETA}, 0)",
        1,
        "Lakonishok and Smidt 1988",
        "beta around the turn of the month, when markets tend to rise",
    ),
)
