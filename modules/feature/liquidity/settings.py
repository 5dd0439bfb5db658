"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.liquidity.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: price impact of a year, unusual volume, and how steady volume is."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("illiq_amihud_252@1", "volume_surprise_20@1", "volume_variation_252@1")
