"""Small files of facts for tests: a canonical table, and the SEC's sub and num."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from modules.datastore import DataStore, DataVersion
from modules.facts.adding import add_facts

HEAD = ("symbol", "concept", "period_start", "period_end", "available_at", "unit", "value", "form", "accession")
Row = tuple[str, str, str, str, str, str, object, str, str]


def row(
    symbol: str, concept: str, start: str, end: str, known: str, value: object, unit: str = "USD", form: str = "10-Q",
    accession: str = "",
) -> Row:  # fmt: skip
    """One canonical row; start "" = a figure of a moment."""
    return (symbol, concept, start, end, known, unit, value, form, accession or f"{symbol}-{known[:10]}")


def write_facts(path: Path, rows: Iterable[Row]) -> Path:
    """A canonical CSV."""
    lines = [",".join(HEAD), *(",".join("" if c is None else str(c) for c in r) for r in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


QUARTERS = (("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31"))


def company(symbol: str, years: Iterable[int], scale: float = 1.0) -> list[Row]:
    """Quarterly reports of a made-up company: three 10-Q and a 10-K a year, 40 days after each period; in the
    10-K flows are those of the whole year, as companies state them. Figures grow by a tenth a year, more or less, each
    at a pace of its own."""
    rows = []
    luck = random.Random(symbol)
    instants = {
        "total_assets": 1000.0, "current_assets": 400.0, "cash": 100.0, "receivables": 90.0, "inventory": 60.0,
        "property_plant_equipment": 300.0, "total_liabilities": 500.0, "current_liabilities": 200.0, "payables": 50.0,
        "taxes_payable": 5.0, "current_debt": 40.0, "long_term_debt": 150.0, "book_equity": 450.0,
        "preferred_stock": 1.0, "retained_earnings": 200.0, "goodwill": 30.0, "intangibles": 20.0,
        "short_term_investments": 25.0,
    }  # fmt: skip
    flows = {
        "revenue": 250.0, "cost_of_revenue": 150.0, "gross_profit": 100.0, "operating_income": 40.0,
        "net_income": 25.0, "interest_expense": 4.0, "sga_expense": 30.0, "rnd_expense": 12.0, "depreciation": 10.0,
        "operating_cash_flow": 35.0, "investing_cash_flow": -20.0, "financing_cash_flow": -10.0,
        "capital_expenditure": 15.0, "dividends_paid": 5.0, "buybacks": 6.0, "share_issues": 2.0, "income_tax": 8.0,
    }  # fmt: skip
    pace = {name: luck.uniform(0.6, 1.4) for name in (*instants, *flows)}
    for year in years:
        growth = scale * 1.1 ** (year - 2000) * luck.uniform(0.9, 1.1)
        for q, (start, end) in enumerate(QUARTERS):
            known = f"{(pl.Series([f'{year}-{end}']).str.to_date().dt.offset_by('40d'))[0]}T21:05:00Z"
            form = "10-K" if q == 3 else "10-Q"
            wobble = 1.0 + 0.01 * q
            for i, (name, value) in enumerate(instants.items()):
                rows.append(
                    row(
                        symbol,
                        name,
                        "",
                        f"{year}-{end}",
                        known,
                        round(value * pace[name] * growth * wobble + i, 3),
                        form=form,
                    )
                )
            for name, value in flows.items():
                first, many = (f"{year}-01-01", 4.06) if q == 3 else (f"{year}-{start}", wobble)
                rows.append(
                    row(
                        symbol,
                        name,
                        first,
                        f"{year}-{end}",
                        known,
                        round(value * pace[name] * growth * many, 3),
                        form=form,
                    )
                )
            shares = round(5e6 * scale * (1 + 0.02 * (year - 2000) + 0.004 * q))
            rows.append(row(symbol, "shares_outstanding", "", f"{year}-{end}", known, shares, "shares", form))
    return rows


def write_sec(
    folder: Path, filings: Iterable[Mapping[str, object]], figures: Iterable[Mapping[str, object]]
) -> tuple[Path, Path]:
    """sub.txt and num.txt, tab between columns, as the SEC gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    sub, num = folder / "sub.txt", folder / "num.txt"
    _tabbed(sub, ("adsh", "cik", "name", "form", "period", "filed", "accepted"), filings)
    _tabbed(num, ("adsh", "tag", "version", "ddate", "qtrs", "uom", "segments", "coreg", "value", "footnote"), figures)
    return sub, num


def _tabbed(path: Path, head: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> None:
    lines = ["\t".join(head), *("\t".join(str(r.get(h, "")) for h in head) for r in rows)]
    path.write_text("\n".join(lines) + "\n")


US5 = ("AAPL.NASDAQ", "FB.NASDAQ", "GOOG.NASDAQ", "IBM.NYSE", "MSFT.NASDAQ")


def add_us5_facts(store: DataStore, folder: Path, years: Iterable[int] = range(1998, 2010)) -> DataVersion:
    """Made-up reports of the companies of us5, registered as `us5_facts`."""
    rows = [r for i, symbol in enumerate(US5) for r in company(symbol, years, 1.0 + i)]
    return add_facts(store, "us5_facts", [write_facts(folder / "us5_facts.csv", rows)]).version
