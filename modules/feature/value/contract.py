"""Bars and facts to the mean of value features."""

from __future__ import annotations

from modules.feature.contract import Outputs, feature_contract
from modules.feature.fundamental import Inputs

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="value",
    summary="The mean of ratios of what a company owns and earns to its market value.",
)
