"""Growth: sales, profits, assets and shares against those of a year before.

Profits that beat last year's lead returns, and balance sheets that swell lag them: the signs differ within the family.
Changes are over assets rather than over last year's figure where that may be 0 or negative. Shares are restated for
splits, so a split is no issue.
"""

from __future__ import annotations

from modules.feature.row import Feature

_MEAN_ASSETS = "((total_assets + total_assets_year_ago) / 2)"
_GROSS = "coalesce(gross_profit_ttm, revenue_ttm - cost_of_revenue_ttm)"
_GROSS_AGO = "coalesce(gross_profit_ttm_year_ago, revenue_ttm_year_ago - cost_of_revenue_ttm_year_ago)"
_SALES = "revenue_ttm / revenue_ttm_year_ago"


def _grew(name: str) -> str:
    return f"{name} / {name}_year_ago - 1"


FEATURES: tuple[Feature, ...] = (
    Feature(
        "asset_growth", _grew("total_assets"), -1, "Cooper, Gulen and Schill 2008", "growth of assets within a year",
    ),
    Feature(
        "revenue_growth", _grew("revenue_ttm"), -1, "Lakonishok, Shleifer and Vishny 1994",
        "growth of sales within a year; the study ranks five years",
    ),
    Feature(
        "book_equity_growth", "book_equity / where(book_equity_year_ago > 0, book_equity_year_ago, 0) - 1", -1,
        "Lockwood and Prombutr 2010", "growth of book equity within a year",
    ),
    Feature(
        "earnings_surprise", "(net_income_quarter - net_income_quarter_year_ago) / total_assets", 1,
        "Foster, Olsen and Shevlin 1984", "earnings of the quarter less those of a year ago, over assets",
    ),
    Feature(
        "revenue_surprise", "(revenue_quarter - revenue_quarter_year_ago) / total_assets", 1,
        "Jegadeesh and Livnat 2006", "sales of the quarter less those of a year ago, over assets",
    ),
    Feature(
        "gross_profit_change", f"({_GROSS}) / total_assets - ({_GROSS_AGO}) / total_assets_year_ago", 1,
        "Akbas, Jiang and Koch 2017", "gross profitability less that of a year ago",
    ),
    Feature(
        "capital_expenditure_growth", _grew("capital_expenditure_ttm"), -1, "Anderson and Garcia-Feijoo 2006",
        "growth of capital expenditure within a year",
    ),
    Feature("inventory_growth", _grew("inventory"), -1, "Belo and Lin 2012", "growth of inventories within a year"),
    Feature(
        "investment_to_assets",
        "(property_plant_equipment - property_plant_equipment_year_ago + "
        "coalesce(inventory - inventory_year_ago, 0)) / total_assets_year_ago",
        -1, "Lyandres, Sun and Zhang 2008", "what was added to plant and inventories, over assets a year ago",
    ),
    Feature(
        "share_issuance", "log(shares_outstanding / shares_outstanding_year_ago)", -1, "Pontiff and Woodgate 2008",
        "growth of the number of shares within a year, restated for splits",
    ),
    Feature(
        "external_financing",
        "(coalesce(share_issues_ttm, 0) - coalesce(buybacks_ttm, 0) - coalesce(dividends_paid_ttm, 0) + "
        f"coalesce(long_term_debt - long_term_debt_year_ago, 0)) / {_MEAN_ASSETS}",
        -1, "Bradshaw, Richardson and Sloan 2006", "money raised from owners and lenders, over mean assets",
    ),
    Feature(
        "research_growth", _grew("rnd_expense_ttm"), 1, "Eberhart, Maxwell and Siddique 2004",
        "growth of research and development within a year",
    ),
    Feature(
        "sales_over_inventory", f"{_SALES} - inventory / inventory_year_ago", 1, "Abarbanell and Bushee 1998",
        "growth of sales less that of inventories",
    ),
    Feature(
        "sales_over_receivables", f"{_SALES} - receivables / receivables_year_ago", 1, "Abarbanell and Bushee 1998",
        "growth of sales less that of receivables",
    ),
    Feature(
        "sales_over_overhead", f"{_SALES} - sga_expense_ttm / sga_expense_ttm_year_ago", 1,
        "Abarbanell and Bushee 1998", "growth of sales less that of selling and administrative expense",
    ),
)  # fmt: skip
