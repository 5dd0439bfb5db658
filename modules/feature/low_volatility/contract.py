"""Bars to the mean of features of low volatility."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="low_volatility",
    summary="The mean of risk features: calm symbols are rather held.",
)
