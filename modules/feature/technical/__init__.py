"""Chart indicators."""
