"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.cross_asset.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: what the sector did and the symbol did not yet, how it follows the
    market a day late, and its gap to the sector.
    """

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("sector_lead_5@1", "market_lag_60@1", "sector_gap_21@1")
