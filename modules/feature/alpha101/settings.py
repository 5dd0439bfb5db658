"""Which alphas, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.alpha101.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default member is the one alpha that needs closes only and reads no price level."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("alpha019@1")
