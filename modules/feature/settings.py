"""Settings that feature families share: which features, and how they become one signal."""

from __future__ import annotations

import difflib
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from modules.contract import ModuleSettings
from modules.feature.row import Feature

MOST_MEMBERS = 500


def members_field(*default: str) -> Any:
    """The `members` setting of a family, with the members it has by default."""
    return Field(default, min_length=1, max_length=MOST_MEMBERS, description="features, as name@version")


class FamilySettings(ModuleSettings):
    """Bounds are the search space. A family's `Settings` names its rows in `features` and its default `members`.

    Each member is held between its row's `winsor_limit` and 1 - `winsor_limit` quantiles (0 = left as it is), made
    comparable by `normalize` (rank: -0.5 to 0.5; zscore: keeps the size of differences) and turned by its sign. The
    signal is the mean over members where at least the share `least_present` of them has a value (1 = all), less the
    mean of its sector where `neutralize` says so, and the mean of that over the last `smoothing_bars` bars (1 = not
    smoothed).
    """

    features: ClassVar[tuple[Feature, ...]] = ()

    members: tuple[str, ...]
    normalize: Literal["rank", "zscore"] = "rank"
    winsor_limit: float = Field(default=0.0, ge=0.0, le=0.2)
    least_present: float = Field(default=1.0, ge=0.1, le=1.0)
    neutralize: Literal["none", "sector"] = "none"
    smoothing_bars: int = Field(default=1, ge=1, le=60)

    @field_validator("members")
    @classmethod
    def _are_known(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        known = {row.reference: row for row in cls.features}
        for i, reference in enumerate(members):
            if reference in members[:i]:
                raise ValueError(f"{reference} stands twice; name each member once")
            if reference in known:
                continue
            versions = [row.reference for row in cls.features if row.name == reference.partition("@")[0]]
            near = versions or difflib.get_close_matches(reference, known, n=3, cutoff=0.6)
            remedy = f"did you mean {' or '.join(near)}?" if near else "docs/features.md lists the family"
            raise ValueError(f"{reference} is no feature of this family, written name@version; {remedy}")
        return members

    def rows(self) -> tuple[Feature, ...]:
        """The rows of the members, in their order."""
        known = {row.reference: row for row in self.features}
        return tuple(known[reference] for reference in self.members)
