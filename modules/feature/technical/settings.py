"""Which features of the family, and how they become one signal."""

from __future__ import annotations

from typing import ClassVar

from modules.feature.row import Feature
from modules.feature.settings import FamilySettings, members_field
from modules.feature.technical.definitions import FEATURES


class Settings(FamilySettings):
    """See `FamilySettings`. The default members: the percentage price oscillator and the momentum oscillator, both of
    closes.
    """

    features: ClassVar[tuple[Feature, ...]] = FEATURES

    members: tuple[str, ...] = members_field("ta_ppo@1", "ta_cmo_14@1")
