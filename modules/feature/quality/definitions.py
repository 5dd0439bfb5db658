"""Quality: how much a company earns on what it holds, and how soundly it stands.

Ratios to book equity are missing where it is not positive. Where a company does not state gross profit, it is revenue
less its cost. Where studies divide by assets or equity of the quarter before, ours divide by the newest.
"""

from __future__ import annotations

from modules.feature.row import Feature

_GROSS = "coalesce(gross_profit_ttm, revenue_ttm - cost_of_revenue_ttm)"
_GROSS_AGO = "coalesce(gross_profit_ttm_year_ago, revenue_ttm_year_ago - cost_of_revenue_ttm_year_ago)"
_EQUITY = "where(book_equity > 0, book_equity, 0)"
_OVERHEAD = "(coalesce(sga_expense_ttm, 0) - coalesce(rnd_expense_ttm, 0))"

_F_SCORE = " + ".join(
    (
        "(net_income_ttm > 0)",
        "(operating_cash_flow_ttm > 0)",
        "(net_income_ttm / total_assets > net_income_ttm_year_ago / total_assets_year_ago)",
        "(operating_cash_flow_ttm > net_income_ttm)",
        "(coalesce(long_term_debt, 0) / total_assets <= coalesce(long_term_debt_year_ago, 0) / total_assets_year_ago)",
        "(current_assets / current_liabilities > current_assets_year_ago / current_liabilities_year_ago)",
        "(shares_outstanding <= shares_outstanding_year_ago)",
        f"({_GROSS} / revenue_ttm > {_GROSS_AGO} / revenue_ttm_year_ago)",
        "(revenue_ttm / total_assets > revenue_ttm_year_ago / total_assets_year_ago)",
    )
)

FEATURES: tuple[Feature, ...] = (
    Feature(
        "gross_profitability", f"{_GROSS} / total_assets", 1, "Novy-Marx 2013", "gross profit over assets",
    ),
    Feature(
        "operating_profitability",
        "(revenue_ttm - coalesce(cost_of_revenue_ttm, 0) - coalesce(sga_expense_ttm, 0) - "
        f"coalesce(interest_expense_ttm, 0)) / {_EQUITY}",
        1, "Fama and French 2015", "revenue less cost, overhead and interest, over book equity",
    ),
    Feature(
        "cash_profitability",
        f"({_GROSS} - {_OVERHEAD} - (receivables - receivables_year_ago) - "
        "coalesce(inventory - inventory_year_ago, 0) + coalesce(payables - payables_year_ago, 0)) / total_assets",
        1, "Ball, Gerakos, Linnainmaa and Nikolaev 2016", "operating profit in cash over assets",
    ),
    Feature(
        "return_on_assets", "net_income_ttm / total_assets", 1, "Haugen and Baker 1996",
        "earnings of four quarters over assets",
    ),
    Feature(
        "return_on_equity", f"net_income_quarter / {_EQUITY}", 1, "Hou, Xue and Zhang 2015",
        "earnings of the newest quarter over book equity",
    ),
    Feature(
        "profit_margin", "operating_income_ttm / revenue_ttm", 0, "Soliman 2008", "operating income over revenue",
    ),
    Feature("asset_turnover", "revenue_ttm / total_assets", 0, "Soliman 2008", "revenue over assets"),
    Feature(
        "asset_turnover_change", "revenue_ttm / total_assets - revenue_ttm_year_ago / total_assets_year_ago", 1,
        "Soliman 2008", "asset turnover less that of a year ago",
    ),
    Feature(
        "profit_margin_change",
        "operating_income_ttm / revenue_ttm - operating_income_ttm_year_ago / revenue_ttm_year_ago", 0,
        "Soliman 2008", "operating margin less that of a year ago",
    ),
    Feature("f_score", _F_SCORE, 1, "Piotroski 2000", "0 to 9: how many of nine signs of strength hold"),
    Feature(
        "current_ratio", "current_assets / current_liabilities", 0, "Ou and Penman 1989",
        "current assets over current liabilities",
    ),
    Feature(
        "cash_to_assets", "(cash + coalesce(short_term_investments, 0)) / total_assets", 1, "Palazzo 2012",
        "cash and securities over assets",
    ),
    Feature(
        "book_leverage", "log(total_assets / book_equity)", -1, "Fama and French 1992",
        "log of assets over book equity",
    ),
    Feature(
        "altman_z",
        "1.2 * ((current_assets - current_liabilities) / total_assets) + 1.4 * (retained_earnings / total_assets) + "
        "3.3 * (operating_income_ttm / total_assets) + 0.6 * (market_cap / total_liabilities) + "
        "revenue_ttm / total_assets",
        1, "Altman 1968; Dichev 1998", "distance from bankruptcy",
    ),
)  # fmt: skip
