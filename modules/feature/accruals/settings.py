"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.accruals.definitions import FEATURES
from modules.feature.fundamental import FundamentalSettings
from modules.feature.row import Feature
from modules.feature.settings import members_field


class Settings(FundamentalSettings):
    """See `FundamentalSettings`."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field(
        "accruals@1", "cash_flow_accruals@1", "net_operating_assets@1", "working_capital_accruals@1"
    )
