"""Bars to a signal."""

from __future__ import annotations

from modules.feature.contract import Inputs, Outputs, feature_contract

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="expression",
    summary="A signal written in the language: for each bar and symbol, how much one would rather hold it.",
)
