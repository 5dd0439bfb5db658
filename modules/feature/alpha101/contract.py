"""Bars to the mean of formulaic alphas."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="alpha101",
    summary="The mean of formulaic alphas of Kakushadze (2016), made comparable across symbols.",
)
