"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.row import Feature
from modules.feature.seasonality.definitions import FEATURES
from modules.feature.settings import FamilySettings, members_field


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: the month to come a year and some quarters ago, and the
    weekday to come in the last weeks.
    """

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("season_year_1@1", "season_quarter@1", "season_weekday@1")
