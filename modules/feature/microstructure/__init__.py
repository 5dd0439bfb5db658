"""Bar microstructure."""
