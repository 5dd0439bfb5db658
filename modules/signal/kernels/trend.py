"""Chart indicators of direction and its strength."""
