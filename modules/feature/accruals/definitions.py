"""Accruals: earnings that are not cash yet, and balance sheets that hold what was earned and not received.

Where a company does not state a minor item (debt, securities, taxes owed) it counts as 0. Changes are against the
balance of a year before, over the mean of both years' assets.
"""

from __future__ import annotations

from modules.feature.row import Feature

_MEAN_ASSETS = "((total_assets + total_assets_year_ago) / 2)"


def _working(ago: str = "") -> str:
    """Working capital that earns: current assets without cash, less current liabilities without debt."""
    return (
        f"(current_assets{ago} - cash{ago} - coalesce(short_term_investments{ago}, 0) - "
        f"(current_liabilities{ago} - coalesce(current_debt{ago}, 0)))"
    )


def _operating(ago: str = "") -> str:
    """Net operating assets: what debt and owners pay for, less cash and securities."""
    return (
        f"(coalesce(current_debt{ago}, 0) + coalesce(long_term_debt{ago}, 0) + book_equity{ago} - "
        f"cash{ago} - coalesce(short_term_investments{ago}, 0))"
    )


def _later(ago: str = "") -> str:
    """Net operating assets beyond a year."""
    return (
        f"(total_assets{ago} - current_assets{ago} - "
        f"(total_liabilities{ago} - current_liabilities{ago} - coalesce(long_term_debt{ago}, 0)))"
    )


def _financial(ago: str = "") -> str:
    """Securities less debt and preferred stock."""
    return (
        f"(coalesce(short_term_investments{ago}, 0) - coalesce(current_debt{ago}, 0) - "
        f"coalesce(long_term_debt{ago}, 0) - coalesce(preferred_stock{ago}, 0))"
    )


_AGO = "_year_ago"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "accruals",
        "(current_assets - current_assets_year_ago - (cash - cash_year_ago) - (current_liabilities - "
        "current_liabilities_year_ago - coalesce(current_debt - current_debt_year_ago, 0) - "
        f"coalesce(taxes_payable - taxes_payable_year_ago, 0)) - depreciation_ttm) / {_MEAN_ASSETS}",
        -1, "Sloan 1996", "change of working capital without cash, less depreciation, over mean assets",
    ),
    Feature(
        "cash_flow_accruals", f"(net_income_ttm - operating_cash_flow_ttm) / {_MEAN_ASSETS}", -1,
        "Hribar and Collins 2002", "earnings less operating cash flow, over mean assets",
    ),
    Feature(
        "percent_accruals", "(net_income_ttm - operating_cash_flow_ttm) / abs(net_income_ttm)", -1,
        "Hafzalla, Lundholm and Van Winkle 2011", "earnings less operating cash flow, over earnings",
    ),
    Feature(
        "net_operating_assets", f"{_operating()} / total_assets_year_ago", -1, "Hirshleifer, Hou, Teoh and Zhang 2004",
        "what debt and owners pay for less cash, over assets a year ago",
    ),
    Feature(
        "net_operating_assets_change", f"({_operating()} - {_operating(_AGO)}) / {_MEAN_ASSETS}", -1,
        "Fairfield, Whisenant and Yohn 2003", "growth of net operating assets over mean assets",
    ),
    Feature(
        "working_capital_accruals", f"({_working()} - {_working(_AGO)}) / {_MEAN_ASSETS}", -1,
        "Richardson, Sloan, Soliman and Tuna 2005", "change of working capital without cash and debt, over mean assets",
    ),
    Feature(
        "long_term_accruals", f"({_later()} - {_later(_AGO)}) / {_MEAN_ASSETS}", -1,
        "Richardson, Sloan, Soliman and Tuna 2005", "change of net operating assets beyond a year, over mean assets",
    ),
    Feature(
        "financial_accruals", f"({_financial()} - {_financial(_AGO)}) / {_MEAN_ASSETS}", 1,
        "Richardson, Sloan, Soliman and Tuna 2005", "change of securities less debt, over mean assets",
    ),
    Feature(
        "receivables_change", f"(receivables - receivables_year_ago) / {_MEAN_ASSETS}", -1, "Sloan 1996",
        "change of receivables over mean assets",
    ),
    Feature(
        "inventory_change", f"(inventory - inventory_year_ago) / {_MEAN_ASSETS}", -1, "Thomas and Zhang 2002",
        "change of inventories over mean assets",
    ),
)  # fmt: skip
