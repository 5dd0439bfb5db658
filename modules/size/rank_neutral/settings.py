"""How ranks become weights."""

from __future__ import annotations

from modules.size.settings import ShapeSettings


class Settings(ShapeSettings):
    """See `ShapeSettings`."""
