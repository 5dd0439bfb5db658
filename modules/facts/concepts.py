"""The concepts: canonical names of figures, what they are measured in, and the XBRL tags that state them.

Tags stand in order of priority: where a figure is stated under several tags at once, the first counts. A name that is
not here may still be registered from a canonical file; the signal language then knows no unit for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Dimension = Literal["money", "shares"]
Span = Literal["flow", "instant", "average"]
"""flow: adds up over quarters. instant: holds at a moment. average: over a period, and does not add up."""


@dataclass(frozen=True)
class Concept:
    """One figure: its canonical name, how it runs in time, its dimension, its XBRL tags by priority, what it is."""

    name: str
    span: Span
    tags: tuple[str, ...]
    about: str
    dimension: Dimension = "money"


def _flow(name: str, about: str, *tags: str) -> Concept:
    return Concept(name, "flow", tags, about)


def _instant(name: str, about: str, *tags: str) -> Concept:
    return Concept(name, "instant", tags, about)


CONCEPTS: tuple[Concept, ...] = (
    _flow(
        "revenue", "sales",
        "Revenues", "RevenueFromContractWithCustomerExcludingAssessedTax", "SalesRevenueNet",
        "RevenueFromContractWithCustomerIncludingAssessedTax", "RegulatedAndUnregulatedOperatingRevenue",
        "RevenuesNetOfInterestExpense", "RealEstateRevenueNet", "HealthCareOrganizationRevenue",
        "SalesRevenueGoodsNet", "SalesRevenueServicesNet",
    ),
    _flow(
        "cost_of_revenue", "cost of what was sold",
        "CostOfRevenue", "CostOfGoodsAndServicesSold", "CostOfGoodsSold", "CostOfServices",
    ),
    _flow("gross_profit", "revenue less its cost, where stated", "GrossProfit"),
    _flow("operating_income", "profit before interest and taxes", "OperatingIncomeLoss"),
    _flow(
        "net_income", "profit of the owners",
        "NetIncomeLoss", "NetIncomeLossAvailableToCommonStockholdersBasic", "ProfitLoss",
    ),
    _flow("income_tax", "income tax expense", "IncomeTaxExpenseBenefit"),
    _flow(
        "interest_expense", "interest paid or owed",
        "InterestExpense", "InterestExpenseDebt", "InterestAndDebtExpense",
    ),
    _flow(
        "sga_expense", "selling, general and administrative",
        "SellingGeneralAndAdministrativeExpense", "GeneralAndAdministrativeExpense",
    ),
    _flow(
        "rnd_expense", "research and development",
        "ResearchAndDevelopmentExpense", "ResearchAndDevelopmentExpenseExcludingAcquiredInProcessCost",
    ),
    _flow(
        "depreciation", "depreciation and amortisation",
        "DepreciationDepletionAndAmortization", "DepreciationAmortizationAndAccretionNet",
        "DepreciationAndAmortization", "Depreciation",
    ),
    _flow(
        "operating_cash_flow", "cash from operations",
        "NetCashProvidedByUsedInOperatingActivities",
        "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations",
    ),
    _flow(
        "investing_cash_flow", "cash from investing",
        "NetCashProvidedByUsedInInvestingActivities",
        "NetCashProvidedByUsedInInvestingActivitiesContinuingOperations",
    ),
    _flow(
        "financing_cash_flow", "cash from financing",
        "NetCashProvidedByUsedInFinancingActivities",
        "NetCashProvidedByUsedInFinancingActivitiesContinuingOperations",
    ),
    _flow(
        "capital_expenditure", "paid for property, plant and equipment",
        "PaymentsToAcquirePropertyPlantAndEquipment", "PaymentsToAcquireProductiveAssets",
        "PaymentsForCapitalImprovements",
    ),
    _flow(
        "dividends_paid", "dividends paid to owners",
        "PaymentsOfDividendsCommonStock", "PaymentsOfDividends", "PaymentsOfOrdinaryDividends",
    ),
    _flow("buybacks", "paid for own shares", "PaymentsForRepurchaseOfCommonStock", "PaymentsForRepurchaseOfEquity"),
    _flow(
        "share_issues", "received for new shares",
        "ProceedsFromIssuanceOfCommonStock", "ProceedsFromIssuanceOrSaleOfEquity",
        "ProceedsFromIssuanceOfSharesUnderIncentiveAndShareBasedCompensationPlansIncludingStockOptions",
    ),
    _instant("total_assets", "all assets", "Assets"),
    _instant("current_assets", "assets due within a year", "AssetsCurrent"),
    _instant(
        "cash", "cash and equivalents",
        "CashAndCashEquivalentsAtCarryingValue",
        "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents", "Cash",
    ),
    _instant(
        "short_term_investments", "securities beside cash",
        "ShortTermInvestments", "MarketableSecuritiesCurrent", "AvailableForSaleSecuritiesCurrent",
    ),
    _instant("receivables", "owed by customers", "AccountsReceivableNetCurrent", "ReceivablesNetCurrent"),
    _instant("inventory", "inventories", "InventoryNet"),
    _instant("property_plant_equipment", "net of depreciation", "PropertyPlantAndEquipmentNet"),
    _instant("goodwill", "goodwill", "Goodwill"),
    _instant(
        "intangibles", "intangible assets beside goodwill",
        "IntangibleAssetsNetExcludingGoodwill", "FiniteLivedIntangibleAssetsNet",
    ),
    _instant("total_liabilities", "all liabilities", "Liabilities"),
    _instant("current_liabilities", "liabilities due within a year", "LiabilitiesCurrent"),
    _instant("payables", "owed to suppliers", "AccountsPayableCurrent", "AccountsPayableTradeCurrent"),
    _instant(
        "taxes_payable", "income taxes owed",
        "AccruedIncomeTaxesCurrent", "TaxesPayableCurrent", "AccruedIncomeTaxesPayable",
    ),
    _instant("current_debt", "debt due within a year", "DebtCurrent", "LongTermDebtCurrent", "ShortTermBorrowings"),
    _instant(
        "long_term_debt", "debt due later",
        "LongTermDebtNoncurrent", "LongTermDebtAndCapitalLeaseObligations", "LongTermDebt",
    ),
    _instant(
        "book_equity", "equity of the owners",
        "StockholdersEquity", "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest",
    ),
    _instant("preferred_stock", "preferred shares at book", "PreferredStockValue"),
    _instant("retained_earnings", "profits kept so far", "RetainedEarningsAccumulatedDeficit"),
    Concept(
        "shares_outstanding", "instant",
        ("EntityCommonStockSharesOutstanding", "CommonStockSharesOutstanding"),
        "common shares held by owners", "shares",
    ),
    Concept(
        "weighted_shares", "average", ("WeightedAverageNumberOfSharesOutstandingBasic",),
        "common shares, mean of the period", "shares",
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Concept] = MappingProxyType({c.name: c for c in CONCEPTS})
BY_TAG: Mapping[str, tuple[str, int]] = MappingProxyType(
    {tag: (c.name, place) for c in CONCEPTS for place, tag in enumerate(c.tags)}
)
"""Tag to (concept, priority); 0 counts first."""
