"""Feature modules: bars to a signal panel."""
