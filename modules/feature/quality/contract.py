"""Bars and facts to the mean of quality features."""

from __future__ import annotations

from modules.feature.contract import Outputs, feature_contract
from modules.feature.fundamental import Inputs

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="quality",
    summary="The mean of measures of how profitable, liquid and sound a company is.",
)
