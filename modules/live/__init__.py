"""From target weights to venues, by a live clock: the risk core, and what reaches a venue only through it."""
