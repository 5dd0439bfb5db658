"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.fundamental import FundamentalSettings
from modules.feature.quality.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import members_field


class Settings(FundamentalSettings):
    """See `FundamentalSettings`."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field(
        "gross_profitability@1", "return_on_assets@1", "return_on_equity@1", "asset_turnover_change@1"
    )
