"""Bars to the mean of features of return seasonality."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="seasonality",
    summary="The mean of seasonal features: what rose at this time before is rather held.",
)
