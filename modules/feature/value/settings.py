"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.fundamental import FundamentalSettings
from modules.feature.row import Feature
from modules.feature.settings import members_field
from modules.feature.value.definitions import FEATURES


class Settings(FundamentalSettings):
    """See `FundamentalSettings`."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field(
        "book_to_market@1", "earnings_yield@1", "cash_flow_yield@1", "sales_yield@1"
    )
