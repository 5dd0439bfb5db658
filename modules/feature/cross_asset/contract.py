"""Bars to the mean of features of cross-asset relations."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="cross_asset",
    summary="The mean of features of a symbol among others: laggards of sector and market are rather held.",
)
