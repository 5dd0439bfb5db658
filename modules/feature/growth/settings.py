"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.fundamental import FundamentalSettings
from modules.feature.growth.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import members_field


class Settings(FundamentalSettings):
    """See `FundamentalSettings`."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field(
        "asset_growth@1", "earnings_surprise@1", "revenue_surprise@1", "investment_to_assets@1"
    )
