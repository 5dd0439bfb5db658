"""Bars to the mean of features of momentum of months."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="momentum",
    summary="The mean of momentum features: past winners are rather held.",
)
