"""Bars to the mean of features of liquidity and volume."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="liquidity",
    summary="The mean of liquidity features: what trades little or draws attention is rather held.",
)
