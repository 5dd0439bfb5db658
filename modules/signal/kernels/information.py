"""Order, memory and dependence of a window."""
