"""Tables of the gap to the vector result, of capacity, and of what a model can have known."""

from __future__ import annotations

from harness.cutoff import Around, around
from harness.report.beside import Beside
from harness.report.series import RunSeries
from harness.report.text import DASH, Table, Toned, money, number, percent, toned
from harness.vector.words import parting_words


def gap(beside: Beside) -> tuple[Table, ...]:
    """What each friction costs, and whether two engines agree; empty where `cws gap` was not run."""
    g = beside.gap
    if g is None:
        return ()
    rows: list[tuple[str | Toned, ...]] = [
        ("vector result", number(g.vector.annual_bps, 1), "", number(g.vector.sharpe, 3), "", "", "")
    ]
    rows += [
        (
            p.cause,
            number(p.after.annual_bps, 1),
            toned(p.annual_bps, number(p.annual_bps, 1, signed=True)),
            number(p.after.sharpe, 3),
            number(p.sharpe, 3, signed=True) if p.sharpe is not None else DASH,
            p.first.time if p.first else DASH,
            parting_words(p.first),
        )
        for p in g.parts
    ]
    rows.append(
        (
            "recorded run",
            number(g.recorded.annual_bps, 1),
            toned(g.annual_bps, number(g.annual_bps, 1, signed=True)),
            number(g.recorded.sharpe, 3),
            number(g.sharpe, 3, signed=True) if g.sharpe is not None else DASH,
            "",
            "",
        )
    )
    parts = Table(
        "From the vector result to this account",
        ("Cause", "Return, bps a year", "Part", "Sharpe", "Part", "Parts first", "By"),
        tuple(rows),
        "The vector result is vectorbt's, of the same targets: no cost, no limit, fills at the decision's close. One "
        "friction after the other is switched on; each row is what it changes given those above it.",
    )
    checks = Table(
        "Two engines",
        ("vectorbt against the engine", "Largest difference in NAV", ""),
        tuple(
            (c.name, f"{c.difference:.1e}", Toned("agree", "good") if c.holds else Toned("part", "bad"))
            for c in g.checks
        ),
        " ".join(f"{note}." for note in g.notes),
    )
    return parts, checks


def apart(beside: Beside, series: RunSeries) -> Around | None:
    """The result on both sides of the model's training; None where no model had part in the signal."""
    if beside.trained is None:
        return None
    account = series.account
    return around((account.ts, account.net_return), (series.ic_ts, series.ic), beside.trained)


def cutoff(beside: Beside, series: RunSeries) -> tuple[Table, ...]:
    """Before and after what the model can have known; empty where no model had part in the signal."""
    found = apart(beside, series)
    if found is None:
        return ()
    rows = tuple(
        (
            name,
            f"{part.bars:,}",
            str(part.first or DASH),
            str(part.last or DASH),
            DASH if part.net_sharpe is None else number(part.net_sharpe),
            DASH if part.rank_correlation is None else number(part.rank_correlation, 4),
        )
        for name, part in (("before", found.before), ("after", found.after))
    )
    head = ("", "Bars", "From", "To", "Sharpe, net", "Rank correlation")
    return (Table("Before and after the model's training", head, rows, f"{found.words}."),)


def capacity(beside: Beside) -> tuple[Table, ...]:
    """Accounts of other capital; empty where the run was not validated."""
    if not beside.curve:
        return ()
    found = beside.capacity
    words = f"No capacity is stated: {beside.no_capacity}."
    if found is not None:
        words = (
            f"Capacity: {found.words}. Of the capitals run, {money(found.most_profit)} USD earns most money, "
            f"{money(found.profit_a_year)} USD a year."
            if found.profit_a_year > 0.0
            else f"Capacity: {found.words}."
        )
    return (
        Table(
            "Capacity",
            ("Capital, USD", "Sharpe, net", "Return a year", "Costs, bps a year", ""),
            tuple(
                (
                    f"{c.capital_usd:,.0f}",
                    number(c.net_sharpe),
                    percent(c.annual_return),
                    number(c.cost_bps_year, 0),
                    c.note,
                )
                for c in beside.curve
            ),
            words + " Impact grows with the root of the order over the volume traded.",
        ),
    )
