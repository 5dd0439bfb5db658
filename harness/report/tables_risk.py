"""Tables of losses, seasons, dependence and factors: figures become text here."""

from __future__ import annotations

from harness.report.statistics import BPS
from harness.report.study import Study
from harness.report.study.calendar import QUANTILES, Season
from harness.report.study.market import Attribution
from harness.report.study.unitroot import RootTest
from harness.report.text import DASH, Table, Toned, number, percent, probability, toned
from modules.panel import iso
from modules.tail import LEVELS, Tails


def drawdowns(study: Study) -> Table:
    """The worst drawdowns."""
    return Table(
        "Worst drawdowns",
        ("Depth", "Peak", "Trough", "Regained", "Bars", "Down", "Up again"),
        tuple(
            (
                percent(d.depth, 2),
                iso(d.peak_ns),
                iso(d.trough_ns),
                "not yet" if d.recovered_ns is None else iso(d.recovered_ns),
                f"{d.bars:,}",
                f"{d.bars_to_trough:,}",
                DASH if d.bars_to_recover is None else f"{d.bars_to_recover:,}",
            )
            for d in study.drawdowns
        ),
    )


def years(study: Study) -> Table:
    """Newest first."""
    return Table(
        "By year",
        ("Year", "Net", "Gross", "Sharpe, net", "Volatility", "Max drawdown", "Turnover", "Bars"),
        tuple(
            (
                str(y.year),
                toned(y.net, percent(y.net)),
                percent(y.gross),
                number(y.sharpe),
                percent(y.volatility),
                percent(y.max_drawdown),
                number(y.turnover, 1, " \u00d7"),
                f"{y.bars:,}",
            )
            for y in reversed(study.years)
        ),
    )


def losses(tails: Tails) -> Table:
    """VaR and CVaR by method and horizon."""
    heads = tuple(f"{word} {level:.0%}" for level in LEVELS for word in ("VaR", "CVaR"))
    rows = []
    for t in tails.tails:
        span = "1 bar" if t.horizon_bars == 1 else f"{t.horizon_bars} bars"
        cells = [percent(v, 2) for pair in zip(t.var, t.cvar, strict=True) for v in pair]
        rows.append((t.method, span, *cells, t.note))
    return Table(
        "Value at risk",
        ("Method", "Over", *heads, ""),
        tuple(rows),
        "Losses of the net return as a share of NAV; CVaR is the mean of the losses beyond VaR. Monte Carlo draws "
        f"blocks of the run's own bars with seed {tails.seed}, so the figures are the same every time.",
    )


def coverage(tails: Tails) -> Table:
    """Forecasts of VaR held against what came."""
    return Table(
        "Was VaR to be believed?",
        ("Historical VaR", "Forecasts", "Exceeded", "Expected", "p (Kupiec)"),
        tuple(
            (
                f"{c.level:.0%} of {c.window_bars} bars",
                f"{c.forecasts:,}",
                f"{c.exceeded:,}",
                number(c.expected, 1),
                _verdict(c.p_value),
            )
            for c in tails.coverage
        ),
        "Each bar is held against the VaR of the bars before it. A small p means that it was exceeded more, or less, "
        "often than it says.",
    )


def _verdict(p: float | None, bad_below: float = 0.05) -> str | Toned:
    return Toned(probability(p), "bad") if p is not None and p < bad_below else probability(p)


def shape(tails: Tails) -> Table:
    """Moments."""
    found = tails.shape
    rows: tuple[tuple[str | Toned, ...], ...] = ()
    if found is not None:
        rows = (
            ("Mean", f"{number(found.mean * BPS, 2)} bps"),
            ("Deviation", f"{number(found.deviation * BPS, 1)} bps"),
            ("Skewness", number(found.skewness)),
            ("Excess kurtosis", number(found.kurtosis)),
            ("Worst bar", percent(found.worst, 2)),
            ("Best bar", percent(found.best, 2)),
            ("Normal? (Jarque-Bera)", f"p {probability(found.jarque_bera_p)}"),
        )
    return Table("Net return a bar", ("", ""), rows)


def periods(study: Study) -> Table:
    """Quantiles of compound returns."""
    heads = ("Worst", *(f"{q:.0%}" for q in QUANTILES[1:-1]), "Best")
    return Table(
        "Net return by period, %",
        ("Period", *heads, "Positive", "Count"),
        tuple(
            (p.period.capitalize(), *(number(q * 100.0) for q in p.quantiles), percent(p.positive), f"{p.count:,}")
            for p in study.periods
        ),
        "Compound, by UTC calendar; the first and last week, month, quarter and year are left out: they may be cut.",
    )


def seasons(study: Study) -> Table:
    """One row a division of the calendar: does it matter, and where most."""
    rows = []
    for one in study.seasonality:
        known = [s for s in one.seasons if s.mean is not None]
        ranked = sorted(known, key=lambda s: s.mean or 0.0)
        cells = (_season(ranked[-1]), _season(ranked[0])) if ranked else (DASH, DASH)
        rows.append((one.kind.capitalize(), *cells, probability(one.p_value)))
    return Table(
        "Does the calendar matter?",
        ("By", "Highest mean", "Lowest mean", "p, all alike"),
        tuple(rows),
        "p is of Welch's test that all seasons have one mean. Looking at several divisions finds one below 0.05 by "
        "luck easily; bars are taken as independent. Whiskers: two standard errors.",
    )


def _season(s: Season) -> str:
    return f"{s.name}: {number((s.mean or 0.0) * BPS, 1)} bps (t {number(s.t, 1)})"


def ljung_box(study: Study) -> Table:
    """Autocorrelation tests."""
    found = study.dependence
    series = list(dict.fromkeys(t.series for t in found.ljung_box))
    lags = [t.lags for t in found.ljung_box if t.series == series[0]] if series else []
    by = {(t.series, t.lags): t for t in found.ljung_box}
    rows = tuple(
        (
            name.capitalize(),
            *(f"{number(by[name, k].statistic, 1)} (p {probability(by[name, k].p_value)})" for k in lags),
        )
        for name in series
    )
    words = "Q of G. Ljung and G. Box up to each lag. Squares that follow each other mean that volatility clusters."
    if found.sharpe_factor is not None:
        factor = f"{found.sharpe_factor:.2f}"
        words += f" For its autocorrelation the yearly Sharpe ratio would have to be multiplied by {factor} (A. Lo)."
    return Table("Ljung-Box", ("Series", *(f"lag {k}" for k in lags)), rows, words)


def roots(study: Study) -> Table:
    """Unit root and stationarity."""
    return Table(
        "Stationarity",
        ("Series", "Test", "Statistic", "p", "Lags", "At 5 %"),
        tuple(
            (
                r.series.capitalize(),
                r.test,
                number(r.statistic),
                probability(r.p_value, r.p_bound),
                f"{r.lags}",
                _says(r),
            )
            for r in study.dependence.roots
        ),
        "ADF: a small p means no unit root. KPSS: a small p means not stationary; its table ends at 0.01 and 0.10. "
        f"Of the newest {study.dependence.bars:,} bars.",
    )


def _says(test: RootTest) -> str:
    if test.test == "ADF":
        return "no unit root" if test.stationary else "a unit root cannot be ruled out"
    return "nothing against stationary" if test.stationary else "not stationary"


def beta(study: Study) -> Table:
    """Against the mean of all symbols."""
    b = study.beta
    return Table(
        "Beta to the mean of all symbols",
        ("", ""),
        (
            ("Beta", f"{number(b.beta, 3)} (t {number(b.t, 1)})"),
            ("Alpha a year", percent(b.alpha)),
            ("Correlation", number(b.correlation)),
            ("Beta on bars on which they rose", number(b.up, 3)),
            ("Beta on bars on which they fell", number(b.down, 3)),
        ),
    )


def attribution(title: str, found: Attribution) -> Table:
    """Betas and contributions."""
    if not found.loadings:
        return Table(title, (), (), f"None: {found.why}.")
    rows = [
        (f.name, number(f.beta, 3), number(f.t, 1), percent(f.contribution, 2), percent(f.alone, 2), f.about)
        for f in found.loadings
    ]
    rows.append(("alpha", "", number(found.alpha_t, 1), percent(found.alpha, 2), "", "what no factor explains"))
    rows.append(("sum", "", "", percent(found.mean, 2), "", f"mean net return; R\u00b2 {percent(found.r_squared)}"))
    return Table(
        title,
        ("Factor", "Beta", "t", "Brings a year", "Itself a year", "What it is"),
        tuple(rows),
        f"Least squares over {found.bars:,} bars, Newey-West errors. Brings a year: beta times the factor's mean "
        "return; with alpha they add up to the mean net return.",
    )
