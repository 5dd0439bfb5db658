"""Which features of the set, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.alpha158.definitions import FEATURES
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members read closes only and are high where the price fell."""

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("ROC5@1", "ROC20@1", "MA5@1", "MA20@1", "QTLU20@1", "QTLD20@1")
