"""Chart indicators that swing in a band."""
