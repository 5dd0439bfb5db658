"""Backtest on bars."""
