"""Bars to the mean of features of bar microstructure."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="microstructure",
    summary="The mean of features of the bar: nights against days and the shape of bars.",
)
