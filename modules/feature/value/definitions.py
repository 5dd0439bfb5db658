"""Value: what a company owns and earns, over what the market asks for it.

`market_cap` is the close as traded times the shares as filed, restated for splits since (`modules/fundamentals.py`);
an adjusted close has no place here. Where a company does not state a minor item (preferred stock, debt, goodwill) it
counts as 0. A logarithm of what is not positive is missing, so companies of negative equity have no book to market.
"""

from __future__ import annotations

from modules.feature.row import Feature

_COMMON = "(book_equity - coalesce(preferred_stock, 0))"
_DEBT = "(coalesce(long_term_debt, 0) + coalesce(current_debt, 0))"
_ENTERPRISE = f"(market_cap + {_DEBT} + coalesce(preferred_stock, 0) - cash)"
_PAYOUT = "coalesce(dividends_paid_ttm, 0) + coalesce(buybacks_ttm, 0)"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "book_to_market", f"log({_COMMON} / market_cap)", 1, "Fama and French 1992",
        "log of common book equity over market value",
    ),
    Feature(
        "tangible_book_to_market", f"({_COMMON} - coalesce(goodwill, 0) - coalesce(intangibles, 0)) / market_cap", 1,
        "Graham and Dodd 1934", "book equity without goodwill and intangibles, over market value",
    ),
    Feature(
        "earnings_yield", "net_income_ttm / market_cap", 1, "Basu 1977", "earnings of four quarters over market value",
    ),
    Feature(
        "cash_flow_yield", "operating_cash_flow_ttm / market_cap", 1, "Lakonishok, Shleifer and Vishny 1994",
        "operating cash flow of four quarters over market value",
    ),
    Feature(
        "free_cash_flow_yield", "(operating_cash_flow_ttm - capital_expenditure_ttm) / market_cap", 1,
        "Hackel, Livnat and Rai 1994", "operating cash flow less capital expenditure, over market value",
    ),
    Feature(
        "sales_yield", "revenue_ttm / market_cap", 1, "Barbee, Mukherji and Raines 1996",
        "sales of four quarters over market value",
    ),
    Feature(
        "dividend_yield", "dividends_paid_ttm / market_cap", 1, "Litzenberger and Ramaswamy 1979",
        "dividends of four quarters over market value; missing where none are stated",
    ),
    Feature(
        "payout_yield", f"({_PAYOUT}) / market_cap", 1, "Boudoukh, Michaely, Richardson and Roberts 2007",
        "dividends and buybacks of four quarters over market value",
    ),
    Feature(
        "net_payout_yield", f"({_PAYOUT} - coalesce(share_issues_ttm, 0)) / market_cap", 1,
        "Boudoukh, Michaely, Richardson and Roberts 2007", "payout less new shares, over market value",
    ),
    Feature(
        "assets_to_market", "log(total_assets / market_cap)", 1, "Fama and French 1992",
        "log of assets over market value: market leverage",
    ),
    Feature(
        "debt_to_market", f"{_DEBT} / market_cap", 1, "Bhandari 1988", "debt over market value",
    ),
    Feature(
        "ebitda_to_enterprise", f"(operating_income_ttm + depreciation_ttm) / {_ENTERPRISE}", 1,
        "Loughran and Wellman 2011", "profit before interest, taxes and depreciation over enterprise value",
    ),
    Feature(
        "ebit_to_enterprise", f"operating_income_ttm / {_ENTERPRISE}", 1, "Greenblatt 2006",
        "profit before interest and taxes over enterprise value",
    ),
    Feature(
        "research_to_market", "rnd_expense_ttm / market_cap", 1, "Chan, Lakonishok and Sougiannis 2001",
        "research and development of four quarters over market value",
    ),
    Feature(
        "net_current_assets_to_market", "(current_assets - total_liabilities) / market_cap", 1, "Oppenheimer 1986",
        "Graham's net current asset value over market value",
    ),
    Feature("market_size", "log(unitless(market_cap))", -1, "Banz 1981", "log of market value"),
)  # fmt: skip
