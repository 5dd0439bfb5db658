"""Every named feature, by family. A new family is imported here, by name, and is in the library from then on."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from modules.feature.accruals import definitions as accruals
from modules.feature.alpha101 import definitions as alpha101
from modules.feature.alpha158 import definitions as alpha158
from modules.feature.cross_asset import definitions as cross_asset
from modules.feature.growth import definitions as growth
from modules.feature.liquidity import definitions as liquidity
from modules.feature.low_volatility import definitions as low_volatility
from modules.feature.microstructure import definitions as microstructure
from modules.feature.momentum import definitions as momentum
from modules.feature.quality import definitions as quality
from modules.feature.reversal import definitions as reversal
from modules.feature.row import Feature
from modules.feature.seasonality import definitions as seasonality
from modules.feature.technical import definitions as technical
from modules.feature.value import definitions as value

__all__ = ["Feature", "FeatureError", "families", "find", "latest", "library"]

_FAMILIES: Mapping[str, tuple[Feature, ...]] = MappingProxyType(
    {
        "alpha158": alpha158.FEATURES,
        "alpha101": alpha101.FEATURES,
        "momentum": momentum.FEATURES,
        "reversal": reversal.FEATURES,
        "low_volatility": low_volatility.FEATURES,
        "seasonality": seasonality.FEATURES,
        "liquidity": liquidity.FEATURES,
        "microstructure": microstructure.FEATURES,
        "cross_asset": cross_asset.FEATURES,
        "technical": technical.FEATURES,
        "value": value.FEATURES,
        "quality": quality.FEATURES,
        "growth": growth.FEATURES,
        "accruals": accruals.FEATURES,
    }
)


class FeatureError(KeyError):
    """A reference to a feature that the library does not hold; says what is near."""

    def __str__(self) -> str:
        return str(self.args[0])


def families() -> Mapping[str, tuple[Feature, ...]]:
    """Family name to its rows, every version of each, in the order of the documentation."""
    return _FAMILIES


def library() -> tuple[Feature, ...]:
    """Every feature at its latest version."""
    return tuple(row for rows in families().values() for row in latest(rows))


def latest(rows: Iterable[Feature]) -> tuple[Feature, ...]:
    """The newest version of each name, in the order in which the names first stand."""
    newest: dict[str, Feature] = {}
    for row in rows:
        held = newest.get(row.name)
        if held is None or row.version > held.version:
            newest[row.name] = row
    return tuple(newest.values())


def find(reference: str) -> Feature:
    """The row of `KMID@1`, or of `KMID` at its latest version. Raises FeatureError naming what is near."""
    rows = _index()
    if reference not in rows:
        near = difflib.get_close_matches(reference, rows, n=3, cutoff=0.6)
        remedy = f"did you mean {' or '.join(near)}?" if near else "docs/features.md lists them"
        raise FeatureError(f"there is no feature {reference}; {remedy}")
    return rows[reference]


@functools.cache
def _index() -> Mapping[str, Feature]:
    rows = {row.reference: row for family in families().values() for row in family}
    return {**rows, **{row.name: row for row in library()}}
