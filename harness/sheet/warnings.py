"""What a reader must know before the figures of a sheet, and how they were made."""

from __future__ import annotations

from harness.report.text import money, number, percent
from harness.report.warnings import LEVEL_WARNING, early_fills
from harness.sheet.figures import Sheet
from harness.sheet.material import HORIZONS
from modules.engine.settings import TradingSettings

LOW_COVERAGE = 0.5
ALL_KNOWN = 0.999
HELD_SHARE = 0.9


def warnings(sheet: Sheet) -> tuple[str, ...]:
    """Plain sentences, the gravest first; empty where there is nothing to say."""
    said = []
    if sheet.ahead is not None:
        said.append(
            f"READS THE FUTURE: the value of {sheet.ahead.symbol} at {sheet.ahead.ts} changes when later bars are "
            "taken away. No figure below means anything."
        )
    if sheet.reads_level:
        said.append(LEVEL_WARNING)
    coverage = sheet.turnover.coverage
    if coverage is not None and coverage < LOW_COVERAGE:
        said.append(f"The signal has a value in {coverage:.0%} of the cells with a price; the rest is not judged.")
    first = sheet.information.by_horizon[0].mean
    if first.high is not None and first.high < 0.0:
        said.append(
            f"The signal points the other way: its mean rank IC is {number(first.mean, 4)} (t = {number(first.t, 1)}). "
            "Turning it round is one more trial."
        )
    elif not any(d.mean.significant for d in sheet.information.by_horizon):
        said.append("Nothing found: at no horizon can the mean rank IC be told from zero.")
    if sheet.trading.held_share < HELD_SHARE:
        said.append(
            f"On {1.0 - sheet.trading.held_share:.0%} of the bars the top or the bottom quantile is empty, because "
            "values are tied or symbols too few; the book holds nothing there."
        )
    if sheet.without_open > 0.0:
        later = sheet.information.one_bar_later
        said.append(
            f"{early_fills(sheet.without_open)} Traded one bar later, the mean rank IC is {number(later.mean, 4)} "
            f"(t = {number(later.t, 1)})."
        )
    if sheet.material.dollar_volume is None:
        said.append("The data carry no volume: impact is not charged, and capacity is not known.")
    said += _too_large(sheet)
    return tuple(said)


def _too_large(sheet: Sheet) -> list[str]:
    capacity, capital = sheet.trading.holdings[0].capacity, sheet.trading.capital
    if capacity is None or capacity.participation_nav is None or capacity.participation_nav >= capital:
        return []
    most = money(capacity.participation_nav)
    return [
        f"A capital of {money(capital)} {sheet.material.currency} is more than this book can trade: above {most} its "
        "trades take more than a tenth of the volume, where the cost of impact is an extrapolation."
    ]


def notes(sheet: Sheet, settings: TradingSettings, lockbox_start: str) -> tuple[str, ...]:
    """How the figures were made, each in a sentence or two."""
    return (
        f"History from {lockbox_start} on is the lockbox; nothing here has read it. The signal warms up for "
        f"{sheet.warmup_bars:,} bars.",
        "Forward returns run from the fill one bar after the signal to the fill at the end of the horizon: the "
        "convention of the backtest.",
        "t and 95 % intervals: Newey and West (1987), since horizons overlap; bandwidth 1.3 times the root of the bars "
        "(Lazarus et al. 2018) and at least three horizons, critical values of Kiefer and Vogelsang (2005). The report "
        "of a run takes bars as independent.",
        "Quantiles are formed on each bar among symbols with a value and a next return. Excess is over the mean of all "
        "of them.",
        "Book: long the top quantile, short the bottom one, each with the whole NAV, equal weights; held for h bars it "
        "is the mean of the last h books (Jegadeesh and Titman 1993). Its trades are the changes of these weights.",
        *_cost_notes(sheet, settings),
        *_shortfalls(sheet),
    )


def _cost_notes(sheet: Sheet, settings: TradingSettings) -> tuple[str, ...]:
    linear = (
        f"Costs: half spread {settings.half_spread_bps:g} and commission {settings.commission_bps:g} bps of what is "
        f"traded, borrow {settings.borrow_bps_year:g} bps a year on shorts"
    )
    if sheet.material.dollar_volume is None:
        return (f"{linear}.",)
    impact = (
        f"impact {settings.impact_k:g} \u00d7 volatility \u00d7 \u221a(shares / mean volume) of each trade (Almgren et "
        f"al. 2005) at a capital of {money(settings.capital_usd)} {sheet.material.currency}"
    )
    capacity = (
        "Capacity: impact grows with the root of the NAV A, as C\u221aA of NAV a bar, so it eats the share s of a "
        "gross return g at A = (s g / C)\u00b2 (Kahn and Shaffer 2005). Beyond a tenth of a bar's volume the law is an "
        "extrapolation. Volume counts units, not money."
    )
    known = min((h.capacity.known_share for h in sheet.trading.holdings if h.capacity), default=1.0)
    gaps = (
        (f"Volume and volatility are known for {percent(known)} of what is traded; the rest pays no impact.",)
        if known < ALL_KNOWN
        else ()
    )
    return (f"{linear}, {impact}.", capacity, *gaps)


def _shortfalls(sheet: Sheet) -> list[str]:
    m = sheet.material
    said = []
    if m.quantiles < m.quantiles_asked:
        said.append(
            f"{m.quantiles} quantiles instead of {m.quantiles_asked}: the usual bar has too few symbols for two in "
            "each."
        )
    missing = [h for h in HORIZONS if h not in m.forward]
    if missing:
        said.append(f"Horizons of {', '.join(map(str, missing))} bars do not fit ten times into the history.")
    if not m.sector_names:
        said.append("Sectors are not known for these symbols.")
    small = sheet.information.sectors_left_out
    if small:
        said.append(f"Sectors left out because they never have three symbols at a time: {small}.")
    return said
