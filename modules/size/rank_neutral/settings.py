"""How ranks become weights."""

from __future__ import annotations

from modules.size.shaping import ShapeSettings


class Settings(ShapeSettings):
    """See `ShapeSettings`."""
