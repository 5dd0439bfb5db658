"""Chart indicators that weigh moves by volume."""
