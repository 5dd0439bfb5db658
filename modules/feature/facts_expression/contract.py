"""Bars and facts to a signal."""

from __future__ import annotations

from modules.feature.contract import Outputs, feature_contract
from modules.feature.fundamental import Inputs

__all__ = ["CONTRACT", "Inputs", "Outputs"]

CONTRACT = feature_contract(
    name="facts_expression",
    summary="A signal written in the language that may also name figures of companies, as they were known at each bar.",
)
