"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.microstructure.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: the tug of war between nights and days, and where closes lie in their
    ranges.
    """

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("night_less_day_21@1", "close_place_5@1")
