"""Bars and facts to the mean of accruals features."""

from __future__ import annotations

from modules.feature.contract import Outputs, feature_contract
from modules.feature.fundamental import Inputs

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="accruals",
    summary="The mean of measures of how much of the earnings is accruals.",
)
