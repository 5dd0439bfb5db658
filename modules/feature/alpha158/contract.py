"""Bars to the mean of features of the Alpha158 set."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="alpha158",
    summary="The mean of features of qlib's Alpha158 set, made comparable across symbols.",
)
