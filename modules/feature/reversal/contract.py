"""Bars to the mean of features of short-term reversal."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="reversal",
    summary="The mean of reversal features: what fell lately is rather held.",
)
