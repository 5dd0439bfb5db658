"""One palette for pictures and page. In the page each colour becomes a CSS variable, so dark mode restyles charts."""

from __future__ import annotations

import re

LIGHT: dict[str, str] = {
    "ink": "#1b2230",
    "muted": "#667085",
    "grid": "#e4e7ec",
    "paper": "#fffffe",
    "net": "#1f5eb8",
    "gross": "#98a2b3",
    "gain": "#12805c",
    "loss": "#c0364a",
    "commission": "#33539e",
    "spread": "#7facd6",
    "impact": "#e8b7d4",
    "borrow": "#a5678e",
    "band1": "#1f5eb9",
    "band2": "#d9822b",
    "band3": "#2a9d76",
    "band4": "#8a63c9",
    "band5": "#b8485e",
    "band6": "#5aa9d6",
    "band7": "#a08a2c",
    "band8": "#8d99ad",
}
"""Every value is distinct: charts are drawn with them, and the page finds them again by value."""

DARK: dict[str, str] = {
    "ink": "#e6e9ef",
    "muted": "#98a2b3",
    "grid": "#2b3442",
    "paper": "#131820",
    "net": "#6ea8ff",
    "gross": "#7b8698",
    "gain": "#3fbf8f",
    "loss": "#ff7b8a",
    "commission": "#7f9df0",
    "spread": "#8fc1ee",
    "impact": "#eec3de",
    "borrow": "#c98bb4",
    "band1": "#6ea8fe",
    "band2": "#f0a35a",
    "band3": "#4fc79b",
    "band4": "#b495f0",
    "band5": "#f07f92",
    "band6": "#86cdf5",
    "band7": "#d0ba55",
    "band8": "#94a1b6",
}


BANDS = tuple(name for name in LIGHT if name.startswith("band"))
"""Colours of things that have no colour of their own, in order."""


def variables(palette: dict[str, str]) -> str:
    """The palette as CSS declarations."""
    return " ".join(f"--{name}: {value};" for name, value in palette.items())


def themed(svg: str) -> str:
    """Colours of a drawn chart as CSS variables."""
    names = {value: name for name, value in LIGHT.items()}
    return re.sub(r"#[0-9a-f]{6}\b", lambda hit: f"var(--{names[hit[0]]})" if hit[0] in names else hit[0], svg)
