"""Bars and facts to the mean of growth features."""

from __future__ import annotations

from modules.feature.contract import Outputs, feature_contract
from modules.feature.fundamental import Inputs

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="growth",
    summary="The mean of measures of how sales, profits, assets and shares grew within a year.",
)
