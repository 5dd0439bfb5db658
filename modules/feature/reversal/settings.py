"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.reversal.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: a week, a month, and a week against the sector."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("rev_5@1", "rev_21@1", "rev_sector_5@1")
