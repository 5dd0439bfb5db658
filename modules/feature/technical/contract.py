"""Bars to the mean of features of chart indicators."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="technical",
    summary="The mean of chart indicators.",
)
